#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What must be set before anything else happens.
enum Launch {
  /// Makes a closed pipe, as after `| head`, an error of the write and not a signal that kills.
  static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Makes a wish to reload that comes while a service still reads its runs one that is granted already, and not its end.
  static func ignoreEarlyReloads() { signal(SIGHUP, SIG_IGN) }
}
