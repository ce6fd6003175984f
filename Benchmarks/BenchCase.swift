import BanyanCLIP
import BanyanFoundation
import BanyanTensor
import Foundation

/// One kind of work that both sides do.
struct BenchCase: Sendable {
  let name: String
  let title: String
  /// Whether `--quick` runs it.
  var isQuick = true
  /// Whether it means something only where bf16 has units of its own; else it runs where it is named.
  var wantsBFloat16Units = false
  /// What is to be reached against the published way and against the other side's best.
  var goal: (published: Double?, best: Double?) = (nil, nil)
  /// Builds this side and says what the other one needs to know.
  let make: @Sendable (Rig) throws -> BenchSide

  static let all: [BenchCase] =
    [
      BenchCase(name: "coop-65", title: "CoOp step, 65 classes, batch 32, 16 context vectors", goal: (40, 6)) {
        try .textPrompt($0, classes: 65)
      },
      BenchCase(name: "coop-126", title: "CoOp step, 126 classes", isQuick: false) {
        try .textPrompt($0, classes: 126)
      },
      BenchCase(name: "coop-1000", title: "CoOp step, 1,000 classes", isQuick: false, goal: (30, 6)) {
        try .textPrompt($0, classes: 1000)
      },
      BenchCase(name: "hipro-2", title: "HiPro step, 2 tasks × 20 classes, 3 nodes") {
        try .tree($0, tasks: 2, classes: 20)
      },
      BenchCase(name: "hipro-4", title: "HiPro step, 4 tasks × 65 classes, 7 nodes", isQuick: false, goal: (40, 8)) {
        try .tree($0, tasks: 4, classes: 65)
      },
      BenchCase(name: "maple-4", title: "MaPLe step, batch 4, 65 classes", isQuick: false) {
        try .towers($0, "maple", rows: 4)
      },
      BenchCase(name: "maple-16", title: "MaPLe step, batch 16, 65 classes", isQuick: false, goal: (5, 2.5)) {
        try .towers($0, "maple", rows: 16)
      },
      BenchCase(name: "mmap-4", title: "MmAP step, batch 4, 65 classes", isQuick: false) {
        try .towers($0, "mmap", rows: 4)
      },
      BenchCase(name: "mmap-16", title: "MmAP step, batch 16, 65 classes", goal: (5, 2.5)) {
        try .towers($0, "mmap", rows: 16)
      },
      BenchCase(name: "vpt-16", title: "VPT step (deep), batch 16, 16 tokens a layer", goal: (2, 2)) {
        try .towers($0, "vpt", rows: 16)
      },
      BenchCase(name: "fine-tuning", title: "full fine-tuning step, batch 16, 65 classes", goal: (nil, 1.2)) {
        try .towers($0, "fine-tuning", rows: 16)
      },
      BenchCase(name: "pictures", title: "image features of 256 JPEG files", isQuick: false, goal: (2, 1.3)) {
        try .pictures($0, count: 256)
      },
      BenchCase(
        name: "pictures-bf16", title: "image features of 128 JPEG files in bf16", isQuick: false,
        wantsBFloat16Units: true, goal: (nil, 1.2)
      ) { try .pictures($0.multiplying(in: .bf16), count: 128) },
      BenchCase(name: "zero-shot", title: "zero-shot weights, 1,000 classes × 2 of 80 sentences", isQuick: false) {
        try .sentences($0, classes: 1000, templates: 2)
      },
      BenchCase(name: "affinity-4", title: "affinity of 4 tasks, one recorded step", isQuick: false) {
        try .affinity($0, tasks: 4)
      },
      BenchCase(name: "affinity-11", title: "affinity of 11 tasks, one recorded step", isQuick: false) {
        try .affinity($0, tasks: 11)
      },
      BenchCase(
        name: "run", title: "100 HiPro steps on the CLIP that ships, 4 tasks × 7 classes (PACS's shape)", isQuick: false
      ) { try .wholeRun($0.withShippedModel()) },
    ]
}

/// This side of a case, and what the other side is told.
struct BenchSide {
  /// What the other side's case is called and needs.
  var request: [String: JSONValue]
  /// The ways that the other side has.
  var ways: [Peer.Way] = [.published, .best]
  /// Whether `torch.compile` may help the other side.
  var compiles = true
  /// Where the other side finds weights that are not the rig's own.
  var checkpoint: URL?
  /// How far the two sides may differ, as a share.
  var tolerance = 1e-4
  /// Of how many losses of each turn the first must agree; `nil` for all.
  var compared: (first: Int, of: Int)?
  /// In what numbers its products are.
  var precision = TowerPrecision.fp32
  /// The work once; the losses of its steps, or other numbers that tell results apart.
  var step: () throws -> [Double]

  /// What tells `rows` of features apart, a number each: their products with one vector that both sides know.
  static func marks(_ rows: Tensor) throws -> [Double] {
    let width = rows.extent(1)
    let vector = (0..<width).map { Float(($0 * 7919) % 1009) / 1009 - 0.5 }
    return try rows.matmul(Tensor(vector, shape: [width, 1])).doubles()
  }
}
