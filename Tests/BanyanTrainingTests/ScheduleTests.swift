import BanyanTraining
import Foundation
import Testing

@Suite struct ScheduleTests {
  @Test(arguments: [TrainingSettings.Decay.cosine, .linear, .constant])
  func theRateFollowsItsClosedForm(_ decay: TrainingSettings.Decay) {
    var settings = TrainingSettings()
    settings.decay = decay
    settings.learningRate = 0.25
    settings.warmupRate = 0.001
    settings.warmupEpochs = 2
    settings.epochs = 9
    for step in 0..<9 * 7 {
      let share = Double(step - 14) / Double(9 * 7 - 14)
      let falling =
        switch decay {
        case .cosine: 0.25 * 0.5 * (1 + cos(.pi * share))
        case .linear: 0.25 * (1 - share)
        case .constant: 0.25
        }
      let expected = step < 14 ? 0.001 : falling
      #expect(abs(settings.rate(step: step, stepsPerEpoch: 7) - expected) < 1e-15, "step \(step)")
    }
  }

  @Test func aRunThatIsAllWarmUpStaysAtTheWarmUpRate() {
    var settings = TrainingSettings()
    settings.epochs = 3
    settings.warmupEpochs = 3
    for step in 0..<12 { #expect(settings.rate(step: step, stepsPerEpoch: 4) == settings.warmupRate) }
  }

  @Test func withoutWarmUpTheFirstStepIsTheFullRate() {
    var settings = TrainingSettings()
    settings.warmupEpochs = 0
    #expect(settings.rate(step: 0, stepsPerEpoch: 5) == settings.learningRate)
  }
}
