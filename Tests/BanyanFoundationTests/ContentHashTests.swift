import BanyanFoundation
import Foundation
import Testing

@Suite struct ContentHashTests {
  @Test func `Digests agree with the published test vectors`() {
    #expect(ContentHash.sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(ContentHash.sha256(Data()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func `A file longer than one piece has the digest of its bytes`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("banyan-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    let data = Data((0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    try AtomicFile.write(data, to: file)
    #expect(try ContentHash.sha256(file: file) == ContentHash.sha256(data))
    #expect(throws: BanyanError.self) { try ContentHash.sha256(file: file.appendingPathComponent("none")) }
  }
}
