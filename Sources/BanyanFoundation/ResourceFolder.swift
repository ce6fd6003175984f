public import Foundation

/// Where the files that ship with the program lie.
///
/// SwiftPM's own accessor ends the process where it finds nothing; this one looks in more places and throws. It looks in
/// the folder that `BANYAN_RESOURCES` names, beside the program, in `../share/banyan` and in the main bundle.
public enum ResourceFolder {
  /// The folder or file at `path` inside the bundle of `target`.
  ///
  /// - Throws: A ``BanyanError`` of kind `unavailable` that lists where it was looked for.
  public static func url(target: String, path: String) throws -> URL {
    let names = ["banyan_\(target).resources", "banyan_\(target).bundle"]
    let tried = roots.flatMap { root in names.map { root.appendingPathComponent($0).appendingPathComponent(path) } }
    if let found = tried.first(where: { FileManager.default.fileExists(atPath: $0.path) }) { return found }
    throw BanyanError(
      .unavailable, at: path,
      "does not lie beside the program (looked in \(roots.map(\.path).joined(separator: ", ")))",
      remedy: "Keep the folder \(names[0]) beside the program, or name its parent in BANYAN_RESOURCES.")
  }

  private static var roots: [URL] {
    var roots: [URL] = []
    if let named = ProcessInfo.processInfo.environment["BANYAN_RESOURCES"], !named.isEmpty {
      roots.append(URL(fileURLWithPath: named))
    }
    if let program = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent() {
      roots += [program, program.deletingLastPathComponent().appendingPathComponent("share/banyan")]
    }
    // A test bundle is loaded by another program; its own path is the first argument or beside it.
    roots += CommandLine.arguments.flatMap { argument -> [URL] in
      guard argument.hasSuffix(".xctest") else { return [] }
      return [URL(fileURLWithPath: argument).deletingLastPathComponent()]
    }
    if let resources = Bundle.main.resourceURL { roots.append(resources) }
    return roots
  }
}
