import BanyanFoundation
import BanyanPrompts
import BanyanStructure
import BanyanTensor
import BanyanTestSupport
import Testing

#if os(Linux)
  /// The gradients of tasks apart cost what one step of all of them does, where tasks have names of their own.
  ///
  /// Counts are the process's, hence one of its own for each case.
  @Suite struct TaskGradientWorkTests {
    /// Operations of a step of six tasks, and of their gradients apart.
    private static func operations(_ name: String, budget: Int) throws -> (step: Int, apart: Int) {
      let clip = try TinyCLIP()
      let tasks = (0..<6).map { task in
        PromptTask(name: "t\(task)", classNames: (0..<5).map { "red fox \($0) of \(task)" })
      }
      let tree = try TaskTree.random(tasks.map(\.name), seed: 2)
      let method = try MethodCatalog.entry(name).make(.object([:]), clip.context(tasks, tree: tree, budget: budget))
      let (trainable, constants) = try method.selection.split(method.initialParameters(seed: 1))
      let parameters = try trainable.mapTensors { try $1.asParameter() }.merging(constants)
      let batches = try clip.batches(tasks)
      let before = Engine.operations
      _ = try method.step(parameters, batches)
      let between = Engine.operations
      _ = try method.taskGradients(parameters, batches)
      return (between - before, Engine.operations - between)
    }

    /// Logits of some pictures are nothing beside texts.
    private static func isNoMore(_ name: String, budget: Int) throws -> Bool {
      let found = try operations(name, budget: budget)
      return found.step > 1_000_000 && Double(found.apart) < 1.02 * Double(found.step)
    }

    @Test func ofPromptsOfTheirOwn() async {
      await #expect(processExitsWith: .success) { try #expect(Self.isNoMore("coop", budget: 1 << 40)) }
      await #expect(processExitsWith: .success) { try #expect(Self.isNoMore("coop", budget: 1)) }
    }

    @Test func ofOnePromptForAll() async {
      await #expect(processExitsWith: .success) { try #expect(Self.isNoMore("coop-mt", budget: 1 << 40)) }
      await #expect(processExitsWith: .success) { try #expect(Self.isNoMore("coop-mt", budget: 1)) }
    }

    /// Of a budget for some of the lists of names that a prompt meets, and not for all.
    private static func isTakenOnce(_ name: String) throws -> Bool {
      let (all, parts) = try (operations(name, budget: 1 << 40), operations(name, budget: 1_000_000))
      // A prompt's own vectors are gone through with every list.
      return Double(parts.step) < 1.1 * Double(all.step) && Double(parts.apart) < 1.1 * Double(all.apart)
    }

    @Test func whatFitsListByListIsEncodedOnce() async {
      await #expect(processExitsWith: .success) { try #expect(Self.isTakenOnce("coop-mt")) }
      await #expect(processExitsWith: .success) { try #expect(Self.isTakenOnce("hipro")) }
    }

    @Test func ofPromptsOfATree() async {
      await #expect(processExitsWith: .success) { try #expect(Self.isNoMore("hipro", budget: 1 << 40)) }
      await #expect(processExitsWith: .success) { try #expect(Self.isNoMore("hipro", budget: 1)) }
    }
  }
#endif
