import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// How the engine's threads wait for each other.
package enum WaitingThreads {
  /// What decides it, for programs that start others.
  package static let variables = ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"]

  /// Makes them spin for some microseconds and then sleep; to be called before anything else happens.
  ///
  /// libgomp spins for milliseconds, and a run becomes many times slower where another process uses a core; threads that
  /// sleep at once are slow to wake. It reads its policy when it is loaded, before any code of the program runs; so the
  /// program sets the variable and starts itself once more. A policy that the user has set is left alone.
  package static func spinShortly() {
    #if os(Linux)
      guard variables.allSatisfy({ getenv($0) == nil }) else { return }
      setenv("GOMP_SPINCOUNT", "10000", 1)
      var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
      // Returns only where the program cannot be started again; it then goes on as it is.
      execv("/proc/self/exe", &arguments)
    #endif
  }
}
