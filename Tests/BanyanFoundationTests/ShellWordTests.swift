import BanyanFoundation
import Foundation
import Testing

@Suite("Words for a shell") struct ShellWordTests {
  @Test func `a shell reads the words that were written`() throws {
    let words = [
      "plain", "a b", "it's", "", "$HOME `id` \"x\" \\", "*", "späte/Straße-1.json", "a\nb", "--tasks", "~", "!x",
      "a;b",
    ]
    let shell = Process()
    let output = Pipe()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", "printf '%s\\0' \(ShellWord.line(words))"]
    shell.standardOutput = output
    try shell.run()
    let read = try #require(try output.fileHandleForReading.readToEnd())
    shell.waitUntilExit()
    #expect(String(decoding: read, as: UTF8.self) == words.map { $0 + "\0" }.joined())
  }

  @Test func `words without special signs stay bare`() {
    #expect(ShellWord.line(["banyan", "train", "--shots", "4", "runs/a.b_c"]) == "banyan train --shots 4 runs/a.b_c")
  }
}
