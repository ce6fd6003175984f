import BanyanFoundation
import BanyanTasks
import Testing

struct TaskDescriptionsTests {
  private func load(_ description: String) throws -> TaskSuite {
    try TemporaryFolder(smallTree.merging(["tasks.json": description]) { $1 }).load()
  }

  @Test func `lays titles, class names, templates and words over the tasks`() throws {
    let suite = try load(
      """
      {"templates": ["a photo of a {}.", "{}"],
       "tasks": {"sketch": {"title": "Sketches", "classNames": {"t-shirt": "T-shirt"},
                            "templates": ["a sketch of a {}."], "initialWords": "a sketch of a"}}}
      """)
    #expect(suite.tasks[0].title == "photo")
    #expect(suite.tasks[0].templates == ["a photo of a {}.", "{}"])
    #expect(suite.tasks[0].initialWords == nil)
    #expect(suite.tasks[1].title == "Sketches")
    #expect(suite.tasks[1].classNames == ["hot dog", "T-shirt"])
    #expect(suite.tasks[1].templates == ["a sketch of a {}."])
    #expect(suite.tasks[1].initialWords == "a sketch of a")
  }

  @Test func `leaves templates empty where there is no file`() throws {
    let suite = try TemporaryFolder(smallTree).load()
    #expect(suite.tasks.allSatisfy { $0.templates.isEmpty && $0.initialWords == nil })
  }

  @Test(arguments: [
    (#"{"template": []}"#, ["template", "no such key", "Did you mean templates?"]),
    (#"{"templates": "a {}"}"#, ["templates", "expected a list of texts, found a text"]),
    (#"{"templates": ["a photo"]}"#, ["templates[0]", "exactly once, found it 0 times", "a photo"]),
    (#"{"templates": ["{}", "{} {}"]}"#, ["templates[1]", "found it 2 times"]),
    (#"{"templates": [3]}"#, ["templates[0]", "expected a text, found an integer"]),
    (#"{"tasks": []}"#, ["tasks", "expected an object, found a list"]),
    (#"{"tasks": {"skech": {}}}"#, ["tasks.skech", "no such task", "Did you mean sketch?"]),
    (#"{"tasks": {"sketch": {"titel": "x"}}}"#, ["tasks.sketch: titel", "Did you mean title?"]),
    (#"{"tasks": {"sketch": {"title": " "}}}"#, ["tasks.sketch.title", "a blank one"]),
    (#"{"tasks": {"sketch": {"classNames": {"hot dog": "x"}}}}"#, ["classNames.hot dog", "Did you mean hot_dog?"]),
    (#"{"tasks": {"sketch": {"classNames": {"hot_dog": 1}}}}"#, ["classNames.hot_dog", "expected a text"]),
    (
      #"{"tasks": {"sketch": {"classNames": {"hot_dog": "T Shirt"}}}}"#,
      ["two classes have the name", "hot_dog and t-shirt"]
    ),
    (#"[1]"#, ["tasks.json", "expected an object, found a list"]),
    (#"{"tasks": "#, ["tasks.json"]),
  ])
  func `says which key does not fit, and why`(description: String, parts: [String]) throws {
    let error = #expect(throws: (any Error).self) { try load(description) }
    for part in parts { #expect("\(error.map { "\($0)" } ?? "")".contains(part)) }
  }
}
