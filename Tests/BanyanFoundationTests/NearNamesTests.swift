import BanyanFoundation
import Testing

@Suite struct NearNamesTests {
  @Test func `Slips of the finger are found, strangers are not`() {
    let names = ["epochs", "batchSize", "learningRate", "schedule"]
    #expect(NearNames.suggestions(for: "epcohs", among: names) == ["epochs"])
    #expect(NearNames.suggestions(for: "batchsize", among: names) == ["batchSize"])
    #expect(NearNames.suggestions(for: "learning", among: names) == ["learningRate"])
    #expect(NearNames.suggestions(for: "quux", among: names).isEmpty)
  }

  @Test func `Suggestions come nearest first and are at most three`() {
    #expect(NearNames.suggestions(for: "aaaa", among: ["aabb", "aaab", "bbbb", "aaaa"]) == ["aaaa", "aaab", "aabb"])
    #expect(NearNames.suggestions(for: "t1", among: ["t2", "t3", "t4", "t5"]).count == 3)
  }

  @Test func `The remedy lists all where nothing is near`() {
    #expect(NearNames.remedy(for: "rael", among: ["real", "zzzz"]) == "Did you mean real?")
    #expect(NearNames.remedy(for: "photograph", among: ["zzz", "yyy"]) == "Choose one of: yyy, zzz.")
  }
}
