import BanyanFoundation
import BanyanTensor
import BanyanTestSupport
import Foundation
import Testing

#if os(Linux)
  /// Memory and threads belong to the process, hence a process of its own for each of these tests.
  @Suite("The engine in its process")
  struct EngineProcessTests {
    @Test(
      "ten thousand steps of training leave no tensor and no memory behind",
      .disabled(if: Sanitizer.isPresent, Comment(rawValue: Sanitizer.memoryReason)))
    func noLeak() async {
      await #expect(processExitsWith: .success) {
        try Engine.setThreads(1)
        let start = Engine.liveTensors
        do {
          let training = try SmallTraining()
          for _ in 0..<500 { try training.step() }
          let (tensors, memory) = (Engine.liveTensors, try residentMegabytes())
          for _ in 0..<10_000 { try training.step() }
          let growth = try residentMegabytes() - memory
          #expect(Engine.liveTensors == tensors)
          // One hidden layer is 4 KB: a single one left behind per step would be 40 MB.
          #expect(growth < 2, "\(growth) MB")
        }
        #expect(Engine.liveTensors == start)
      }
    }

    @Test(
      "ops that fail leave no tensor and no memory behind",
      .disabled(if: Sanitizer.isPresent, Comment(rawValue: Sanitizer.memoryReason)))
    func noLeakOnErrors() async {
      await #expect(processExitsWith: .success) {
        let x = try Tensor.zeros([64, 128]).asParameter()
        func fail() throws {
          #expect(throws: BanyanError.self) { try x.matmul(x) }
          #expect(throws: BanyanError.self) { try Gradients.of([x * 2], cotangents: [.zeros([1])], with: [x]) }
          #expect(throws: BanyanError.self) { try SafetensorsFile(Data(count: 9), path: "x").tree() }
        }
        for _ in 0..<100 { try fail() }
        let (tensors, memory) = (Engine.liveTensors, try residentMegabytes())
        for _ in 0..<2_000 { try fail() }
        #expect(Engine.liveTensors == tensors)
        #expect(try residentMegabytes() - memory < 8)
      }
    }

    @Test("the number of threads holds for every thread that calls the engine")
    func threads() async {
      await #expect(processExitsWith: .success) {
        /// The number that a thread of its own sees after it has run an op, before and after `change`.
        func seen(_ change: () throws -> Void) throws -> [Int] {
          let (ready, go, done) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
          )
          let counts = Counts()
          Thread.detachNewThread {
            counts.add((try? Tensor.zeros([4]).sum().item()) == 0 ? Engine.threads : -1)
            ready.signal()
            go.wait()
            counts.add((try? Tensor.zeros([4]).sum().item()) == 0 ? Engine.threads : -1)
            done.signal()
          }
          ready.wait()
          try change()
          go.signal()
          done.wait()
          return counts.values
        }
        try Engine.setThreads(3)
        #expect(Engine.threads == 3)
        #expect(try seen { try Engine.setThreads(2) } == [3, 2])
        #expect(Engine.threads == 2)
        for count in [0, -1, 1025, Int.max] {
          expectError("--threads \(count)", kind: .usage) { try Engine.setThreads(count) }
        }
        #expect(Engine.threads == 2)
      }
    }

    @Test("the same number of threads gives the same bits")
    func threadsAndBits() async {
      await #expect(processExitsWith: .success) {
        func run() throws -> Tensor {
          let training = try SmallTraining()
          for _ in 0..<5 { try training.step() }
          return try training.tree.require("w")
        }
        try Engine.setThreads(2)
        let two = try run()
        #expect(try run().isIdentical(to: two))
        try Engine.setThreads(1)
        #expect(try run().largestDifference(from: two) < 1e-4)
        try Engine.setThreads(2)
        #expect(try run().isIdentical(to: two))
      }
    }
  }

  /// Values that one thread adds and another reads after it has been told so.
  private final class Counts: @unchecked Sendable {
    private(set) var values: [Int] = []
    func add(_ value: Int) { values.append(value) }
  }

  /// A network with one hidden layer and its optimizer.
  private final class SmallTraining {
    let tree: ParameterTree
    private let optimizer: Optimizer
    private let x: Tensor
    private let labels: Tensor

    init() throws {
      var generator = SeededGenerator(seed: 3)
      tree = try ParameterTree([
        "w": .normal([64, 32], deviation: 0.1, generator: &generator),
        "b": .zeros([64]),
        "v": .normal([10, 64], deviation: 0.1, generator: &generator),
      ]).mapTensors { try $1.asParameter() }
      x = try .normal([16, 32], generator: &generator)
      labels = try .indices((0..<16).map { $0 % 10 })
      optimizer = try Optimizer(
        .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01), parameters: tree, rate: 1e-3)
    }

    func step() throws {
      let hidden = try x.linear(tree.require("w"), tree.require("b")).quickGELU()
      let loss = try hidden.linear(tree.require("v")).crossEntropy(labels)
      let gradients = try Gradients.of([loss], with: tree.tensors)
      try optimizer.step(ParameterTree(Dictionary(uniqueKeysWithValues: zip(tree.paths, gradients))), rate: 1e-3)
    }
  }

  /// The process's resident memory.
  private func residentMegabytes() throws -> Double {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    let pages = try #require(fields.count > 1 ? Double(fields[1]) : nil)
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
  }
#endif
