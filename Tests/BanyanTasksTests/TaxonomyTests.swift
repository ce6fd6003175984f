import BanyanFoundation
import BanyanTasks
import Foundation
import Testing

@Suite struct TaxonomyTests {
  private let table = """
    order,class,family
    Songbirds,robin,Thrushes
    Songbirds,blackbird,Thrushes
    Songbirds,raven,Crows
    Songbirds,jay,Crows
    Songbirds,wren,Wrens
    Owls,barn owl,Barn owls
    Owls,eagle owl,True owls
    Divers,loon,Loons
    """

  private func suite(_ tasks: [String: [String]]) -> TaskSuite {
    TaskSuite(
      root: "/data",
      tasks: tasks.sorted { $0.key < $1.key }.map { name, classes in
        ClassificationTask(
          name: name, classNames: classes,
          samples: classes.indices.flatMap { label in
            (0..<3).map {
              Sample(
                path: "\(name)/\(classes[label])/\($0).jpg", label: label, split: $0 == 2 ? .test : .train,
                sha256: "\(name) \(label) \($0)")
            }
          })
      })
  }

  @Test func `orders are tasks, one that has most classes is divided, one of one class is none`() throws {
    let folder = try TemporaryFolder(["birds.csv": table])
    let taxonomy = try Taxonomy(contentsOf: URL(fileURLWithPath: folder.path + "/birds.csv"))
    let groups = taxonomy.groups(of: taxonomy.entries.map(\.className))
    #expect(groups.map(\.name) == ["Owls", "Crows", "Thrushes"])
    #expect(groups[1].classNames == ["raven", "jay"])
    #expect(taxonomy.groups(of: taxonomy.entries.map(\.className), most: 5).map(\.name) == ["Owls", "Songbirds"])
    #expect(taxonomy.groups(of: ["robin", "barn owl", "eagle owl", "no bird"]).map(\.name) == ["Owls"])
    #expect(taxonomy.groups(of: ["robin", "loon"], least: 1).isEmpty)
    // A family that is called as an order, or as another order's family, is told apart.
    let twins = try Taxonomy([
      .init(className: "a", family: "x", order: "p"), .init(className: "b", family: "x", order: "p"),
      .init(className: "c", family: "x", order: "q"), .init(className: "d", family: "x", order: "q"),
    ])
    #expect(twins.groups(of: ["a", "b", "c", "d"], most: 1).map(\.name) == ["p, x", "q, x"])
  }

  @Test func `a suite is divided into tasks with labels of their own, and its table brings them back`() throws {
    let folder = try TemporaryFolder(["birds.csv": table])
    let taxonomy = try Taxonomy(contentsOf: URL(fileURLWithPath: folder.path + "/birds.csv"))
    let classes = taxonomy.entries.map(\.className)
    let one = try suite(["birds": classes]).divided(by: taxonomy)
    #expect(one.tasks.map(\.name) == ["Owls", "Crows", "Thrushes"])
    let owls = one.tasks[0]
    #expect(owls.classNames == ["barn owl", "eagle owl"] && Set(owls.samples.map(\.label)) == [0, 1])
    #expect(owls.samples.count == 6)
    for sample in owls.samples { #expect(sample.path.contains(owls.classNames[sample.label])) }
    // Two sets of pictures of the same classes are tasks of their own.
    let two = try suite(["photo": classes, "ink, dry": classes]).divided(by: taxonomy)
    #expect(two.tasks.map(\.name).contains("ink, dry Owls") && two.tasks.count == 6)

    var rows = two
    let pictures = try TemporaryFolder(
      Dictionary(uniqueKeysWithValues: two.tasks.flatMap(\.samples).map { ($0.path, $0.sha256) }))
    rows.root = pictures.path
    let place = try TemporaryFolder(["tasks.csv": rows.csv])
    let back = try place.load("tasks.csv")
    #expect(Set(back.tasks.map(\.name)) == Set(two.tasks.map(\.name)))
    let crows = try back.task(named: "ink, dry Crows")
    #expect(Set(crows.classNames) == ["raven", "jay"] && crows.samples.count { $0.split == .test } == 2)
  }

  @Test func `what is no taxonomy is refused by line`() throws {
    let folder = try TemporaryFolder([
      "short.csv": "class,family\nrobin,Thrushes\n", "twice.csv": "class,family,order\na,b,c\na,b,c\n",
      "ragged.csv": "class,family,order\na,b\n", "empty.csv": "", "blank.csv": "class,family,order\na,,c\n",
    ])
    for (name, word) in [
      ("short.csv", "order"), ("twice.csv", "twice"), ("ragged.csv", "line 2"), ("empty.csv", "header"),
      ("blank.csv", "blank.csv"),
    ] {
      expectError(.malformed, word) { _ = try Taxonomy(contentsOf: URL(fileURLWithPath: folder.path + "/" + name)) }
    }
    let taxonomy = try Taxonomy([.init(className: "a", family: "b", order: "c")])
    expectError(.usage, "2 of the classes", "cat") { _ = try suite(["pets": ["cat", "dog"]]).divided(by: taxonomy) }
  }
}
