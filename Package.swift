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

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: name + "Tests", dependencies: [.target(name: name)] + dependencies)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "banyan",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "banyan", targets: ["banyan"]),
    .library(name: "BanyanTensor", targets: ["BanyanTensor"]),
    .library(name: "BanyanCLIP", targets: ["BanyanCLIP"]),
    .library(name: "BanyanTasks", targets: ["BanyanTasks"]),
    .library(name: "BanyanStructure", targets: ["BanyanStructure"]),
    .library(name: "BanyanReports", targets: ["BanyanReports"]),
    .library(name: "BanyanPrompts", targets: ["BanyanPrompts"]),
    .library(name: "BanyanEvaluation", targets: ["BanyanEvaluation"]),
    .library(name: "BanyanTraining", targets: ["BanyanTraining"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
  ],
  targets: [
    // The engine: one target touches libtorch, one Swift target touches that.
    .systemLibrary(
      name: "CTorchLibrary", pkgConfig: torchConfig),
    .target(name: "CTorch", dependencies: ["CTorchLibrary"]),
    .systemLibrary(name: "CLibJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(name: "CLibPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(name: "CLibWebP", pkgConfig: "libwebp", providers: [.apt(["libwebp-dev"]), .brew(["webp"])]),
    .target(name: "CImageCodec", dependencies: ["CLibJPEG", "CLibPNG", "CLibWebP"]),

    library("BanyanFoundation", [crypto]),
    library("BanyanTensor", ["CTorch", "BanyanFoundation"]),
    library("BanyanCLIP", ["BanyanTensor", "CImageCodec", "BanyanFoundation"]),
    library("BanyanTasks", ["BanyanFoundation"]),
    library("BanyanStructure", ["BanyanFoundation"]),
    library("BanyanReports", ["BanyanFoundation"]),
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
    .executableTarget(
      name: "banyan",
      dependencies: [
        "BanyanTraining", "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks",
        "BanyanStructure", "BanyanReports", "BanyanFoundation", argumentParser,
      ]),

    .target(
      name: "BanyanTestSupport",
      dependencies: [
        "BanyanTraining", "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks",
        "BanyanStructure", "BanyanReports", "BanyanFoundation",
      ],
      path: "Tests/BanyanTestSupport"),
    tests("BanyanFoundation"),
    tests("BanyanTensor", ["BanyanTestSupport", "BanyanFoundation"]),
    tests("BanyanCLIP", ["BanyanTestSupport", "BanyanTensor", "BanyanFoundation"]),
    tests("BanyanTasks", ["BanyanFoundation"]),
    tests("BanyanStructure", ["BanyanFoundation"]),
    tests("BanyanReports", ["BanyanFoundation"]),
    tests(
      "BanyanPrompts",
      ["BanyanTestSupport", "BanyanCLIP", "BanyanTensor", "BanyanTasks", "BanyanStructure", "BanyanFoundation"]),
    tests(
      "BanyanTraining",
      [
        "BanyanTestSupport", "BanyanEvaluation", "BanyanPrompts", "BanyanCLIP", "BanyanTensor", "BanyanTasks",
        "BanyanStructure", "BanyanReports", "BanyanFoundation",
      ]),
    .testTarget(
      name: "CommandLineTests",
      dependencies: ["banyan", "BanyanTestSupport", "BanyanReports", "BanyanTensor", "BanyanFoundation"]),
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

// TEMPORARY
func exists(_ target: Target) -> Bool {
  let path = target.path ?? (target.type == .test ? "Tests/" : "Sources/") + target.name
  return FileManager.default.enumerator(atPath: Context.packageDirectory + "/" + path)?.contains {
    ($0 as? String).map { $0.hasSuffix(".swift") || $0.hasSuffix(".cpp") || $0.hasSuffix(".c") || $0.hasSuffix(".modulemap") } ?? false
  } ?? false
}
var present = package.targets.filter(exists)
let names = Set(present.map(\.name))
present = present.filter { t in !(t.type == .executable && names.count < 5) }
let kept = Set(present.map(\.name))
for t in present { t.dependencies = t.dependencies.filter { d in
  switch d { case .targetItem(let n, _): return kept.contains(n); case .byNameItem(let n, _): return kept.contains(n); default: return true } } }
package.targets = present
package.products = package.products.filter { kept.contains($0.name) }
