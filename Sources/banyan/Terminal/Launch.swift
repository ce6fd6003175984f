import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What must be set before anything else happens.
enum Launch {
  /// Makes a closed pipe, as after `| head`, an error of the write and not a signal that kills.
  static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Makes the engine's threads sleep, not spin, while they wait for each other.
  ///
  /// libgomp reads its policy when it is loaded, before any code of this program runs; so the program sets the variable
  /// and starts itself once more. Spinning threads make a run many times slower where another process uses a core.
  /// A policy that the user has set is left alone.
  static func preparePatientThreads() {
    #if os(Linux)
      let variables = ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"]
      guard variables.allSatisfy({ getenv($0) == nil }) else { return }
      setenv("OMP_WAIT_POLICY", "passive", 1)
      var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
      // Returns only where the program cannot be started again; it then goes on as it is.
      execv("/proc/self/exe", &arguments)
    #endif
  }
}
