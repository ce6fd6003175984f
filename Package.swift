// swift-tools-version: 6.2

import Foundation
import PackageDescription

// libtorch comes from `scripts/bootstrap`, which leaves a pkg-config file in the checkout. SwiftPM looks a pkg-config
// name up below each search path, so a name that climbs to the root and down again reaches that file with no variable
// set. Elsewhere (a package that depends on this one) `banyan-torch.pc` is looked up in the usual places.
let localTorch = Context.packageDirectory + "/.deps/banyan-torch"
let torchConfig =
  FileManager.default.fileExists(atPath: localTorch + ".pc")
  ? "../../../../../../../.." + localTorch : "banyan-torch"

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: [.target(name: name)] + dependencies)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "banyan",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "banyan", targets: ["banyan"]),
    .library(name: "BanyanTensor", targets: ["BanyanTensor"]),
    .library(name: "BanyanCLIP", targets: ["BanyanCLIP"]),
    .library(name: "BanyanTasks", targets: ["BanyanTasks"]),
    .library(name: "BanyanWorlds", targets: ["BanyanWorlds"]),
    .library(name: "BanyanStructure", targets: ["BanyanStructure"]),
    .library(name: "BanyanReports", targets: ["BanyanReports"]),
    .library(name: "BanyanPrompts", targets: ["BanyanPrompts"]),
    .library(name: "BanyanEvaluation", targets: ["BanyanEvaluation"]),
    .library(name: "BanyanTraining", targets: ["BanyanTraining"]),
    .library(name: "BanyanService", targets: ["BanyanService"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // The engine: one target touches libtorch, one Swift target touches that.
    .systemLibrary(
      name: "CTorchLibrary", pkgConfig: torchConfig),
    .target(name: "CTorch", dependencies: ["CTorchLibrary"]),
    .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(name: "CLibPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(name: "CLibWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .systemLibrary(name: "CLibCairo", pkgConfig: "cairo", providers: [.apt(["libcairo2-dev"]), .brew(["cairo"])]),
    .target(name: "CImageCodec", dependencies: ["CLibJPEG", "CLibPNG", "CLibWebP"]),

    library("BanyanFoundation", [crypto]),
    library("BanyanTensor", ["CTorch", "BanyanFoundation"]),
    library(
      "BanyanCLIP", ["BanyanTensor", "CImageCodec", "BanyanFoundation"],
      resources: [.copy("Resources/embedded-clip")]),
    library("BanyanTasks", ["BanyanFoundation"]),
    library("BanyanWorlds", ["BanyanFoundation"]),
    library("BanyanStructure", ["BanyanFoundation"]),
    library("BanyanReports", ["BanyanFoundation"]),
    library("BanyanPainting", ["CLibCairo", "BanyanReports", "BanyanFoundation"]),
    library("BanyanPrompts", ["BanyanCLIP", "BanyanTensor", "BanyanTasks", "BanyanStructure", "BanyanFoundation"]),
    library(
      "BanyanEvaluation",
      ["BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks", "BanyanReports", "BanyanFoundation"]),
    library(
      "BanyanTraining",
      [
        "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks", "BanyanStructure",
        "BanyanReports", "BanyanFoundation",
      ]),
    library(
      "BanyanService",
      [
        "BanyanTraining", "BanyanStructure", "BanyanReports", "BanyanTensor", "BanyanFoundation", crypto, logging,
        metrics,
        lifecycle, signals,
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
      ]),
    .executableTarget(
      name: "banyan",
      dependencies: [
        "BanyanService", "BanyanTraining", "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor",
        "BanyanTasks",
        "BanyanWorlds", "BanyanStructure", "BanyanReports", "BanyanPainting", "BanyanFoundation", argumentParser,
        logging, metrics, lifecycle, signals,
      ],
      resources: [.copy("Resources/demo")]),

    // Times what the README and the documentation speak of: `make bench`.
    .executableTarget(
      name: "banyan-bench",
      dependencies: [
        "BanyanTraining", "BanyanPrompts", "BanyanCLIP", "BanyanStructure", "BanyanTensor", "BanyanFoundation",
        argumentParser,
      ],
      path: "Benchmarks", exclude: ["peer.py"]),

    // Feeds the readers of foreign bytes: scripts/fuzz.
    .target(name: "CFuzzer", path: "Fuzzing/CFuzzer"),
    .executableTarget(
      name: "banyan-fuzz",
      dependencies: [
        "CFuzzer", "BanyanService", "BanyanTraining", "BanyanCLIP", "BanyanTensor", "BanyanTasks", "BanyanStructure",
        "BanyanReports", "BanyanFoundation",
      ],
      path: "Fuzzing/Program"),

    // A method outside the package's own catalogue; the tests run it.
    .executableTarget(
      name: "WriteYourOwnMethod",
      dependencies: [
        "BanyanTraining", "BanyanPrompts", "BanyanTensor", "BanyanCLIP", "BanyanTasks", "BanyanReports",
        "BanyanFoundation",
      ],
      path: "Examples/WriteYourOwnMethod"),

    .target(
      name: "BanyanTestSupport",
      dependencies: [
        "BanyanTraining", "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks",
        "BanyanWorlds", "BanyanStructure", "BanyanReports", "BanyanFoundation",
      ],
      path: "Tests/BanyanTestSupport"),
    tests("BanyanFoundation"),
    tests("BanyanTensor", ["BanyanTestSupport", "BanyanFoundation"]),
    tests("BanyanCLIP", ["BanyanTestSupport", "BanyanTensor", "BanyanFoundation"]),
    tests("BanyanTasks", ["BanyanFoundation"]),
    tests("BanyanWorlds", ["BanyanStructure", "BanyanFoundation"]),
    tests("BanyanStructure", ["BanyanFoundation"]),
    tests("BanyanReports", ["BanyanFoundation"]),
    tests("BanyanService", ["BanyanFoundation"]),
    tests(
      "BanyanPrompts",
      ["BanyanTestSupport", "BanyanCLIP", "BanyanTensor", "BanyanTasks", "BanyanStructure", "BanyanFoundation"]),
    tests(
      "BanyanTraining",
      [
        "BanyanTestSupport", "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks",
        "BanyanWorlds", "BanyanStructure", "BanyanReports", "BanyanFoundation",
      ]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: [
        "banyan", "banyan-fuzz", "WriteYourOwnMethod", "BanyanTestSupport", "BanyanCLIP", "BanyanTensor",
        "BanyanWorlds",
        "BanyanReports",
        "BanyanFoundation",
      ]),
  ],
  cxxLanguageStandard: .cxx20
)

for target in package.targets where target.type != .system {
  var settings = target.swiftSettings ?? []
  settings += [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
  ]
  target.swiftSettings = settings
}
