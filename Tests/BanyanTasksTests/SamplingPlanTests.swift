import BanyanFoundation
import BanyanTasks
import Testing

struct SamplingPlanTests {
  @Test(arguments: [
    ("16 shots", SamplingAmount.shots(16)), ("1-shot", .shots(1)), ("4", .shots(4)), ("5%", .percentage(5)),
    ("2.5 percent", .percentage(2.5)), ("ALL", .all),
  ])
  func `an amount is read from a text`(text: String, amount: SamplingAmount) {
    #expect(SamplingAmount(text) == amount)
    #expect(SamplingAmount(amount.description) == amount)
  }

  @Test(arguments: ["", "shots", "x shots", "5 %%", "1.5 shots", "everything", "99999999999999999999"])
  func `other texts are no amounts`(text: String) {
    #expect(SamplingAmount(text) == nil)
  }

  @Test func `settings replace the amount and the absent number`() throws {
    let defaults = SamplingPlan(amount: .shots(16), seed: 1)
    var overlay = try Settings.overlay(assignment: "amount=5%")
    #expect(try Settings.apply(overlay, to: defaults, subject: "s").amount == .percentage(5))
    overlay = try Settings.overlay(assignment: "validationShots=2")
    #expect(try Settings.apply(overlay, to: defaults, subject: "s").validationShots == 2)
    overlay = try Settings.overlay(assignment: "amount=8")
    #expect(try Settings.apply(overlay, to: defaults, subject: "s").amount == .shots(8))
    overlay = try Settings.overlay(assignment: "amount=lots")
    expectError(.usage, "amount", "16 shots, 5% or all, found lots") {
      _ = try Settings.apply(overlay, to: defaults, subject: "s")
    }
  }

  @Test func `refuses numbers out of range`() {
    for shots in [0, -1, Int.max] {
      expectError(.usage, "shots", "found \(shots)") { try SamplingPlan(amount: .shots(shots), seed: 0).validate() }
    }
    for share in [0, -5, 100.5, Double.nan, .infinity] {
      expectError(.usage, "percentage", "at most 100") {
        try SamplingPlan(amount: .percentage(share), seed: 0).validate()
      }
    }
    for count in [-1, Int.max] {
      expectError(.usage, "validationShots", "found \(count)") {
        try SamplingPlan(amount: .shots(1), validationShots: count, seed: 0).validate()
      }
    }
  }
}
