import ArgumentParser
import BanyanPrompts
import Foundation

/// Where image features are kept.
struct CacheOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Where image features are kept (default: ~/.cache/banyan).", valueName: "folder"))
  var cache: String?

  @Flag(name: .customLong("no-cache"), help: "Keep no image features on disk.")
  var noCache = false

  func validate() throws {
    if noCache && cache != nil { throw ValidationError("Give either --cache or --no-cache.") }
  }

  var root: URL? {
    noCache ? nil : cache.map { URL(fileURLWithPath: $0) } ?? FeatureCache.defaultRoot
  }
}
