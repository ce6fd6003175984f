import BanyanFoundation
import BanyanReports
import BanyanTestSupport
import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs that are stopped at any moment go on and end as if they had not been.
@Suite struct InterruptionTests {
  private let shop: Workshop
  private let long = ["--epochs", "60", "--seeds", "1,2,3"]

  init() throws { shop = try Workshop.open() }

  private func expectEqual(_ run: String, _ reference: String) throws {
    let (files, expected) = (try shop.lasting(run), try shop.lasting(reference))
    #expect(files.keys.sorted() == expected.keys.sorted())
    for (name, bytes) in expected { #expect(files[name] == bytes, "\(name)") }
    #expect(try shop.record(run).comparable() == shop.record(reference).comparable())
  }

  @Test func killedTwelveTimesItEndsWithTheSameBytes() throws {
    let start = ContinuousClock().now
    #expect(try shop.train("stop/whole", method: "hipro", long).code == 0)
    // A sixth of the whole at most between two kills, so that three fit in however fast the machine is.
    let longest = Int(start.duration(to: ContinuousClock().now) / Duration.microseconds(6))
    var generator = SeededGenerator(seed: 12, label: "moments")
    var kills = 0
    var isDone = false
    for attempt in 0..<40 where !isDone {
      let isBegun = shop.exists("stop/killed/experiment.json")
      let words =
        isBegun
        ? ["train", "--resume", "--output", "stop/killed"] : shop.training("stop/killed", method: "hipro", long)
      let running = try Program.start(words, in: shop.folder)
      // A process that has not yet begun has nothing that could be lost.
      eventually(within: 10) { shop.exists("stop/killed/experiment.json") || !running.process.isRunning }
      if kills < 12 {
        // SIGTERM saves first, so that the next one goes on inside a seed; SIGKILL saves nothing.
        let isAsked = attempt % 3 == 2
        // Nobody has been asked who has not yet said a word.
        if isAsked { eventually(within: 10) { !running.said.isEmpty || !running.process.isRunning } }
        Thread.sleep(forTimeInterval: Double(generator.integer(below: max(1, longest))) / 1e6)
        running.kill(isAsked ? SIGTERM : SIGKILL)
        kills += 1
      }
      let outcome = try running.finish()
      isDone = shop.exists("stop/killed/record.json")
      let isExpected = outcome.isSignal && outcome.code == SIGKILL || outcome.code == 130 || outcome.code == 0
      #expect(isExpected, "\(outcome)")
    }
    #expect(isDone && kills >= 3)
    try expectEqual("stop/killed", "stop/whole")
  }

  @Test func controlCSavesAndSaysHowToGoOn() throws {
    let run = "stop/with a space"
    let running = try Program.start(
      shop.training(run, method: "coop", ["--epochs", "400", "--seeds", "5"]), in: shop.folder)
    shop.awaitSteps(of: run, by: running)
    running.kill(SIGINT)
    let outcome = try running.finish()
    #expect(outcome.code == 130 && !outcome.isSignal && outcome.out.isEmpty, "\(outcome)")
    #expect(outcome.err.contains("everything so far is saved"))
    #expect(outcome.err.contains("banyan train --resume --output '"), "\(outcome.err)")
    #expect(shop.exists(run + "/seed-5/state.safetensors") && !shop.exists(run + "/record.json"))
    #expect(try shop.run("tree", run).code == 66)
    // Other settings are not gone on with.
    let other = try shop.run("train", "--resume", "--output", run, "--learning-rate", "0.1")
    #expect(other.code == 64 && other.err.contains("other settings"), "\(other)")
    // Nor is it begun anew by accident.
    let anew = try shop.train(run, method: "coop", ["--epochs", "400", "--seeds", "5"])
    #expect(anew.code == 1 && anew.err.contains("--resume"), "\(anew)")
    let resumed = try shop.run("train", "--resume", "--output", run)
    #expect(resumed.code == 0 && resumed.err.contains("goes on at step"), "\(resumed)")
    let whole = try shop.train("stop/plain", method: "coop", ["--epochs", "400", "--seeds", "5"])
    #expect(whole.code == 0)
    try expectEqual(run, "stop/plain")
  }

  @Test func aFinishedRunIsResumedWithoutAStepAndNotUnderOtherSettings() throws {
    let before = try shop.lasting("runs/coop-mt")
    let outcome = try shop.run("train", "--resume", "--output", "runs/coop-mt")
    #expect(outcome.code == 0 && outcome.err.contains("is finished"))
    let other = try shop.run("train", "--resume", "--output", "runs/coop-mt", "--epochs", "9")
    #expect(other.code == 64 && other.err.contains("other settings"), "\(other)")
    #expect(try shop.lasting("runs/coop-mt") == before)
    let absent = try shop.run("train", "--resume", "--output", "runs/absent")
    #expect(absent.code == 66 && absent.err.contains("no run to resume"))
  }

  @Test func aRunWhosePicturesChangedMeanwhileIsNotMixed() throws {
    let world = try shop.smallWorld("changing")
    let words = ["--shots", "2", "--seeds", "1,2", "--epochs", "3"]
    let running = try Program.start(
      shop.training("stop/changed", tasks: "changing", words + ["--set", "training.epochs=400"]), in: shop.folder)
    eventually(within: 10) { shop.exists("stop/changed/seed-1/result.json") || !running.process.isRunning }
    running.kill(SIGINT)
    #expect(try running.finish().code == 130)
    for number in 0..<5 { try FileManager.default.removeItem(at: world.picture(0, 0, number)) }
    let outcome = try shop.run("train", "--resume", "--output", "stop/changed")
    #expect(outcome.code == 64 && outcome.err.contains("another experiment"), "\(outcome)")
    #expect(!shop.exists("stop/changed/record.json"))
  }
}
