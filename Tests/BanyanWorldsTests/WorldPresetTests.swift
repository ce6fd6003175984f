import BanyanFoundation
import BanyanStructure
import BanyanWorlds
import Testing

/// What each preset promises: names, classes, families and the tree that they plant.
@Suite struct WorldPresetTests {
  @Test(arguments: WorldPreset.allCases) func tasksAreWellFormedAndTheTreeHoldsTheFamilies(preset: WorldPreset) throws {
    let world = World(preset, seed: 1)
    #expect(Set(world.tasks.map(\.name)).count == world.tasks.count && world.tasks.count > 1)
    for task in world.tasks {
      #expect(Set(task.classes).count == task.classes.count && task.classes.count > 1, "\(task.name)")
      #expect(task.name.allSatisfy { $0.isLetter || $0 == "-" } && task.variant.paper.count == 3, "\(task.name)")
    }
    // Relatives share a style and differ in a variant; strangers share no style.
    for (index, one) in world.tasks.enumerated() {
      for other in world.tasks.dropFirst(index + 1) {
        #expect((one.family == other.family) == (one.style == other.style), "\(one.name), \(other.name)")
        if one.family == other.family { #expect(one.variant != other.variant, "\(one.name), \(other.name)") }
      }
    }
    let tree = try TaskTree(newick: world.plantedTree)
    #expect(tree.names.sorted() == world.tasks.map(\.name).sorted())
    let families = Dictionary(grouping: world.tasks, by: \.family).mapValues { Set($0.map(\.name)) }
    let inner = tree.nodes.filter { $0.parent != nil && !$0.isLeaf }
    let joined = inner.map { node in Set(node.tasks.map { tree.names[$0] }) }
    #expect(Set(joined) == Set(families.values.filter { $0.count > 1 }))
  }

  @Test func presetsHoldWhatTheirSummariesSay() {
    func shape(_ preset: WorldPreset) -> [[Int]] {
      let tasks = World(preset, seed: 1).tasks
      return Dictionary(grouping: tasks, by: \.family).values.map { $0.map(\.classes.count) }.sorted {
        ($0.count, $0[0]) < ($1.count, $1[0])
      }
    }
    #expect(shape(.families) == Array(repeating: [28, 28, 28], count: 3))
    #expect(shape(.strangers) == Array(repeating: [28], count: 8))
    #expect(shape(.mixed).map(\.count) == [1, 1, 2, 3, 3] && Set(shape(.mixed).joined()).count >= 4)
    #expect(shape(.pretraining) == Array(repeating: [28], count: 6))
    #expect(WorldPreset.allCases.filter(\.variesWithinTasks) == [.pretraining])
  }

  @Test func relativesDrawDifferentScenesAndPretrainingVariesItsPictures() {
    let world = World(.families, seed: 3)
    let painter = WorldPainter(side: 32)
    let masks = world.tasks.map { world.picture(task: $0, label: 0, number: 0, painter: painter).mask }
    #expect(Set(masks).count == masks.count)
    let seen = World(.pretraining, seed: 3)
    let pencil = seen.tasks.first { $0.style == .pencil } ?? seen.tasks[0]
    // The paper's tint is that of the corner, which no object covers.
    let corners = (0..<8).map { number in
      Array(seen.picture(task: pencil, label: 0, number: number, painter: painter).pixels.prefix(3))
    }
    #expect(Set(corners).count > 5)
  }
}
