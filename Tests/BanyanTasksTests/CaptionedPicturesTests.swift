import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

struct CaptionedPicturesTests {
  private let images = ["1.png": "x", "sub/2.jpg": "y"]

  private func folder(_ name: String, _ text: String) throws -> TemporaryFolder {
    try TemporaryFolder(images.merging([name: text]) { $1 })
  }

  @Test func `reads a table with several captions for a picture, splits and attributes`() throws {
    let text = """
      colour,Path,caption,split, class
      red,1.png,a red circle,train,circle
      ,./sub/2.jpg,"a ""square"", perhaps",val,square
      red,1.png,a circle,training,circle
      red,1.png,a red circle,train,circle
      """
    let folder = try folder("captions.csv", text)
    let set = try CaptionedPictures.load(folder.path)
    #expect(set.attributes == ["colour", "class"])
    #expect(
      set.pictures == [
        CaptionedPicture(
          path: "1.png", captions: ["a red circle", "a circle"], split: .train,
          attributes: ["colour": "red", "class": "circle"]),
        CaptionedPicture(
          path: "sub/2.jpg", captions: ["a \"square\", perhaps"], split: .validation, attributes: ["class": "square"]),
      ])
    #expect(set.url(of: set.pictures[1]).path == folder.path + "/sub/2.jpg")
    #expect(try CaptionedPictures.load(folder.path + "/captions.csv") == set)
  }

  @Test func `reads JSON lines as image folders have them`() throws {
    let text = """
      {"file_name": "1.png", "text": "a red circle", "colour": "red", "count": 1, "split": "test"}

      {"file_name": "sub/2.jpg", "text": ["a square", "a box"], "colour": null}
      {"file_name": "1.png", "text": "a circle", "colour": "red", "count": 1, "split": "test"}
      """
    let folder = try folder("metadata.jsonl", text)
    let set = try CaptionedPictures.load(folder.path)
    #expect(set.attributes == ["colour", "count"])
    #expect(
      set.pictures == [
        CaptionedPicture(
          path: "1.png", captions: ["a red circle", "a circle"], split: .test,
          attributes: ["colour": "red", "count": "1"]),
        CaptionedPicture(path: "sub/2.jpg", captions: ["a square", "a box"]),
      ])
  }

  @Test func `reads pictures with a text beside each, at any depth`() throws {
    let folder = try TemporaryFolder(images)
    try folder.write("1.txt", "a red circle\n\n a circle \r\n")
    try folder.write("sub/2.txt", "a square")
    try folder.write("sub/deep/er/3.webp", "z")
    try folder.write("sub/deep/er/3.txt", "a dot\n")
    try folder.write("sub/notes.md", "no")
    try folder.write(".hidden/4.png", "no")
    try folder.link("sub/loop", to: folder.path)
    let set = try CaptionedPictures.load(folder.path)
    #expect(set.attributes == [])
    #expect(set.pictures.map(\.path) == ["1.png", "sub/2.jpg", "sub/deep/er/3.webp"])
    #expect(set.pictures.map(\.captions) == [["a red circle", "a circle"], ["a square"], ["a dot"]])
    try folder.remove("sub/2.txt")
    expectError(.missingInput, "1 pictures have no .txt", "sub/2.jpg") { _ = try CaptionedPictures.load(folder.path) }
    try folder.write("sub/2.txt", " \n")
    expectError(.malformed, "sub/2.txt", "blank") { _ = try CaptionedPictures.load(folder.path) }
  }

  @Test(arguments: [
    ("caption,split\na,train\n", "line 1", "column path is missing"),
    ("path,label\n1.png,a\n", "line 1", "column caption is missing"),
    ("path,caption,x,x\n1.png,a,1,2\n", "line 1", "column x occurs twice"),
    ("path,caption,\n1.png,a,b\n", "line 1", "column 3 has no name"),
    ("path,caption\n1.png,a\n1.png,b,c\n", "line 3", "expected 2 fields, found 3"),
    ("path,caption\n1.png, \n", "line 2", "column caption is empty"),
    ("path,caption,split\n1.png,a,tran\n", "line 2", "Did you mean train?"),
    ("path,caption\n1.gif,a\n", "line 2", "expected a picture"),
    ("path,caption,colour\n1.png,a,red\n1.png,b,blue\n", "line 3", "the colour of the earlier lines on 1.png, red"),
    ("path,caption,split\n1.png,a,test\n1.png,b,\n", "line 3", "test, found none"),
    ("", "captions.csv", "found nothing"),
  ])
  func `says which line of a table is wrong`(text: String, line: String, message: String) throws {
    let folder = try folder("captions.csv", text)
    expectError(.malformed, line, message) { _ = try CaptionedPictures.load(folder.path) }
  }

  @Test(arguments: [
    ("{\"file_name\": \"1.png\"}", "key text is missing"),
    ("{\"text\": \"a\"}", "key file_name is missing"),
    ("{\"file_name\": \"1.png\", \"text\": 3}", "expected a text in text, found an integer"),
    ("{\"file_name\": \"1.png\", \"text\": [\"\"]}", "found a blank one"),
    ("{\"file_name\": \"1.png\", \"text\": \"a\", \"box\": [1]}", "in box, found a list"),
    ("[]", "expected an object"),
    ("{", "line 2"),
  ])
  func `says which JSON line is wrong`(text: String, message: String) throws {
    let folder = try folder("metadata.jsonl", "{\"file_name\": \"sub/2.jpg\", \"text\": \"a\"}\n\(text)\n")
    expectError(.malformed, "metadata.jsonl, line 2", message) { _ = try CaptionedPictures.load(folder.path) }
  }

  @Test func `names absent pictures and their number`() throws {
    let rows = (1...9).map { "\($0).png,a\n" }.joined()
    let folder = try folder("captions.csv", "path,caption\n" + rows)
    expectError(.missingInput, "8 of 9", "2.png, 3.png, 4.png, 5.png, 6.png and 3 more", folder.path) {
      _ = try CaptionedPictures.load(folder.path)
    }
  }

  @Test func `says that there is nothing to read`() throws {
    expectError(.missingInput, "/no/such/place") { _ = try CaptionedPictures.load("/no/such/place") }
    let empty = try TemporaryFolder()
    expectError(.missingInput, "no captioned pictures", "path,caption") { _ = try CaptionedPictures.load(empty.path) }
    let folder = try folder("captions.csv", "path,caption\n")
    expectError(.missingInput, "no captioned pictures") { _ = try CaptionedPictures.load(folder.path) }
    try folder.write("metadata.jsonl", "")
    expectError(.usage, "captions.csv and metadata.jsonl") { _ = try CaptionedPictures.load(folder.path) }
    expectError(.malformed, "no layout of captions") { _ = try CaptionedPictures.load(folder.path + "/1.png") }
  }

  @Test func `class folders with captions beside them are still tasks`() throws {
    let folder = try TemporaryFolder(smallTree)
    let header = "path,caption,split,class,colour,style,position\n"
    try folder.write("captions.csv", header + "photo/hot_dog/1.jpg,a hot dog,train,hot dog,red,photo,left\n")
    try folder.write("world.json", #"{"seed": 1, "splits": {"train": 12, "test": 4}, "style": "train"}"#)
    try folder.write("tasks.json", #"{"templates": ["a photo of a {}."]}"#)
    let suite = try folder.load()
    #expect(suite.tasks.map(\.name) == ["photo", "sketch"])
    #expect(suite.tasks.map(\.samples.count) == [4, 4])
    #expect(suite.skipped.isEmpty)
    #expect(try CaptionedPictures.load(folder.path).pictures.map(\.path) == ["photo/hot_dog/1.jpg"])
  }
}
