import BanyanFoundation
import BanyanPrompts
import BanyanTestSupport
import Foundation
import Testing

/// The house rule of methods: one file and one catalogue line each, and nobody else knows them.
@Suite struct CatalogueFilesTests {
  private static let sources = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Sources").resolvingSymlinksInPath()

  /// The code of a file: comments and texts are prose and may name whom they like.
  private func code(_ url: URL) throws -> String {
    var text = try String(contentsOf: url, encoding: .utf8)
    for pattern in [#""""[\s\S]*?""""#, #""(?:\\.|[^"\\\n])*""#, #"//[^\n]*"#, #"/\*[\s\S]*?\*/"#] {
      text = text.replacingOccurrences(of: pattern, with: " ", options: .regularExpression)
    }
    return text
  }

  private func swiftFiles(_ folder: URL) throws -> [URL] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }.sorted()
      .map { folder.appending(path: $0) }
  }

  @Test func `every method of the catalogue has exactly one file, and every file is in the catalogue`() throws {
    let files = try swiftFiles(Self.sources.appending(path: "BanyanPrompts/Methods"))
    let types = files.map { $0.deletingPathExtension().lastPathComponent }
    let catalogue = try code(Self.sources.appending(path: "BanyanPrompts/MethodCatalog.swift"))
    let listed = catalogue.matches(of: #/Entry\((\w+)\.self\)/#).map { String($0.1) }
    #expect(listed.sorted() == types.sorted())
    #expect(listed.count == MethodCatalog.entries.count)
    for entry in MethodCatalog.entries {
      let name = "name: \"\(entry.descriptor.name)\""
      let homes = try files.filter { try String(contentsOf: $0, encoding: .utf8).contains(name) }
      #expect(homes.count == 1, "\(name) stands in \(homes.map(\.lastPathComponent))")
    }
  }

  @Test func `every method has a page of its own and an example experiment`() throws {
    let names = Set(MethodCatalog.entries.map(\.descriptor.name))
    let pages = try FileManager.default.contentsOfDirectory(
      atPath: Self.sources.appending(path: "BanyanPrompts/BanyanPrompts.docc/Methods").path)
    #expect(Set(pages.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }) == names)
    let examples = Golden.folder.deletingLastPathComponent().deletingLastPathComponent().resolvingSymlinksInPath()
      .appending(path: "Experiments")
    let methods = try FileManager.default.subpathsOfDirectory(atPath: examples.path)
      .filter { $0.hasSuffix(".json") }.sorted()
      .flatMap { path -> [String] in
        let file: JSONValue = try JSONDocument.read(from: examples.appending(path: path))
        let runs = file["runs"]?.arrayValue ?? [file]
        return runs.compactMap { $0["method"]?.stringValue }
      }
    #expect(Set(methods) == names)
  }

  @Test func `no method's type is named in code outside its file and the catalogue`() throws {
    let types = try swiftFiles(Self.sources.appending(path: "BanyanPrompts/Methods"))
      .map { $0.deletingPathExtension().lastPathComponent }
    #expect(types.count > 3)
    var seen = 0
    for file in try swiftFiles(Self.sources) where file.lastPathComponent != "MethodCatalog.swift" {
      let code = try code(file)
      seen += 1
      for type in types where file.deletingPathExtension().lastPathComponent != type {
        #expect(code.range(of: #"\b\#(type)\b"#, options: .regularExpression) == nil, "\(type) in \(file.path)")
      }
    }
    #expect(seen > 100)
  }
}
