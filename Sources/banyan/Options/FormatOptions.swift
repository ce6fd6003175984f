import ArgumentParser

/// How a result is written.
enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
