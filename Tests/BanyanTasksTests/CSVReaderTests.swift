import BanyanFoundation
import BanyanTasks
import Testing

struct CSVReaderTests {
  private func folder(_ table: String) throws -> TemporaryFolder {
    try TemporaryFolder(["t.csv": table, "i/1.jpg": "1", "i/2.jpg": "2", "i/3, \"b\".jpg": "3", "i/4.jpg": "4"])
  }

  @Test func `reads columns in any order, quotes, CRLF and a byte order mark`() throws {
    let folder = try folder(
      "\u{FEFF}Label,split,path,task\r\n\"hot \"\"dog\"\"\",train,i/1.jpg,b\r\ncat,VAL,./i/../i/2.jpg,b\r\n\r\n"
        + "cat,test,\"i/3, \"\"b\"\".jpg\",b\r\n\"two\nlines\",,i/1.jpg,a\r\ncat,,i/4.jpg,a")
    let suite = try folder.load("t.csv")
    #expect(suite.tasks.map(\.name) == ["a", "b"])
    #expect(suite.tasks[1].classNames == ["cat", "hot \"dog\""])
    #expect(suite.tasks[1].samples.map(\.label) == [1, 0, 0])
    #expect(suite.tasks[1].samples.map(\.split) == [.train, .validation, .test])
    #expect(suite.tasks[1].samples.map(\.path) == ["i/1.jpg", "i/2.jpg", "i/3, \"b\".jpg"])
    #expect(suite.tasks[0].classNames == ["cat", "two\nlines"])
    #expect(suite.tasks[0].samples.map(\.split) == [nil, nil])
  }

  @Test func `names one task after the file where there is no task column`() throws {
    let folder = try folder("path,label\ni/1.jpg,a\ni/2.jpg,b\n")
    #expect(try folder.load("t.csv").tasks.map(\.name) == ["t"])
    #expect(try folder.load("", TaskLoadingOptions(format: .csv)).tasks.map(\.name) == ["t"])
  }

  @Test func `resolves paths against the image root and keeps absolute ones`() throws {
    let folder = try folder("")
    try folder.write("tables/x.csv", "path,label\n1.jpg,a\n\(folder.path)/i/2.jpg,b\n/\(folder.path)/t.csv,b\n")
    let suite = try folder.load("tables/x.csv", TaskLoadingOptions(imageRoot: folder.path + "/i"))
    #expect(suite.root == folder.path + "/i")
    #expect(suite.tasks[0].samples.map(\.path) == ["1.jpg", "2.jpg", folder.path + "/t.csv"])
    expectError(.missingInput, "tables/1.jpg", "--image-root") { _ = try folder.load("tables/x.csv") }
    expectError(.missingInput, "/nowhere", "image paths start from") {
      _ = try folder.load("tables/x.csv", TaskLoadingOptions(imageRoot: folder.path + "/nowhere"))
    }
  }

  @Test(arguments: [
    ("", ["header", "path and label"]),
    ("path,label\n", ["no images"]),
    ("path,lable\n", ["line 1", "no column lable", "Did you mean label?"]),
    ("path,task\n", ["the column label is missing"]),
    ("path,label,path\n", ["the column path occurs twice"]),
    ("path,label\ni/1.jpg\n", ["line 2", "expected 2 fields, found 1"]),
    ("path,label\ni/1.jpg,a,b\n", ["line 2", "expected 2 fields, found 3"]),
    ("path,label\ni/1.jpg,\n", ["line 2", "the column label is empty"]),
    ("path,label\n,a\n", ["line 2", "the column path is empty"]),
    ("path,label,split\ni/1.jpg,a,tset\n", ["line 2", "found tset", "Did you mean test?"]),
    ("path,label,split\ni/1.jpg,a,train\ni/2.jpg,b,\n", ["line 3", "i/2.jpg has no split"]),
    ("path,label\r\ni/1.jpg,\"a\r\nb\"\r\n\r\ni/1.jpg\r\n", ["line 5", "found 1"]),
    ("path,label\n\"i/1.jpg,a\n", ["line 2", "not closed"]),
    ("path,label\n\"i/1.jpg\"x,a\n", ["line 2", "expected a comma"]),
    ("path,label\ni/\"1.jpg,a\n", ["line 2", "a quote stands inside"]),
    ("path,label\ni/1.jpg,a\ni/1.jpg,b\n", ["i/1.jpg is listed twice", "lines 2 and 3"]),
    ("path,label\ni/1.jpg,a\ni/2.jpg,a\n", ["expected two classes or more, found a alone"]),
    ("path,label\ni/1.jpg,Cat\ni/2.jpg,cat\n", ["two classes have the name", "Cat and cat", "tasks.json"]),
    ("path,label\ni/9.jpg,a\ni/2.jpg,b\n", ["i/9.jpg", "cannot be read", "--skip-unreadable"]),
    ("path,label\ni/\u{0}.jpg,a\ni/2.jpg,b\n", ["zero byte"]),
  ])
  func `says which line does not fit, and why`(table: String, parts: [String]) throws {
    let folder = try folder(table)
    let error = #expect(throws: (any Error).self) { try folder.load("t.csv") }
    for part in parts { #expect("\(error.map { "\($0)" } ?? "")".contains(part)) }
  }
}
