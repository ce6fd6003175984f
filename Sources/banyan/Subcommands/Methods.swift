import ArgumentParser
import BanyanFoundation
import BanyanPrompts
import Foundation

struct Methods: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the methods, each with its paper and options.",
    discussion: "Set an option with --set options.<key>=<value>.")

  @Argument(help: "Only this method.")
  var name: String?

  @Option(help: ArgumentHelp("text or json.", valueName: "format"))
  var format = ResultFormat.text

  private struct Entry: Encodable {
    var descriptor: MethodDescriptor
    var defaults: JSONValue
  }

  func run() throws {
    let entries = try name.map { [try MethodCatalog.entry($0)] } ?? MethodCatalog.entries
    switch format {
    case .json:
      let list = entries.map { Entry(descriptor: $0.descriptor, defaults: $0.defaults) }
      Terminal.result(try JSONDocument.data(list, subject: "methods"))
    case .text:
      Terminal.result(try entries.map(page).joined(separator: "\n\n"))
    }
  }

  private func page(_ entry: MethodCatalog.Entry) throws -> String {
    let method = entry.descriptor
    var lines = ["\(method.name)  \(method.summary)", "  Paper: \(method.paper)"]
    let width = method.options.map(\.key.count).max() ?? 0
    for option in method.options {
      let value = entry.defaults[path: option.key] ?? .null
      let text = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
      lines.append("  \(option.key.padding(toLength: width, withPad: " ", startingAt: 0))  \(option.help) [\(text)]")
    }
    return lines.joined(separator: "\n")
  }
}
