import BanyanFoundation
import BanyanStructure
import Foundation

/// A growing record of embeddings and its file: nothing is made twice, nothing that is there is lost.
struct EmbeddingKeeper {
  private var record: EmbeddingRecord
  private let earlier: EmbeddingRecord?
  private let file: URL?

  /// Goes on with the record in `file`, where there is one of the same request.
  ///
  /// - Throws: A `BanyanError` where the file holds another request's and `overwrites` is not set, or is damaged.
  init(_ record: EmbeddingRecord, file: URL?, overwrites: Bool) throws {
    (self.record, self.file) = (record, file)
    guard let file, FileManager.default.fileExists(atPath: file.path) else {
      earlier = nil
      return
    }
    do {
      let found = try EmbeddingRecord.read(file)
      if found.request == record.request {
        earlier = found
        return
      }
      if overwrites {
        earlier = nil
        return
      }
    } catch let error as BanyanError {
      guard overwrites else { throw error }
      earlier = nil
      return
    }
    throw BanyanError(
      .usage, at: file.path, "the file holds embeddings by other settings",
      remedy: "Choose another --output, or replace it with --overwrite.")
  }

  /// The embedding of `task` from what is known, or made and kept.
  mutating func take(_ task: String, digest: String, make: () throws -> TaskEmbedding) throws {
    let known = earlier.flatMap { earlier in
      zip(earlier.embeddings, earlier.digests).first { $0.task == task && $1 == digest }?.0
    }
    record.embeddings.append(try known ?? make())
    record.digests.append(digest)
    if known == nil { try write() }
  }

  /// The embeddings that were asked for; those of other tasks stay in the file.
  func finish() throws -> EmbeddingRecord {
    try write()
    return record
  }

  private func write() throws {
    guard let file else { return }
    var whole = record
    for (embedding, digest) in zip(earlier?.embeddings ?? [], earlier?.digests ?? [])
    where !record.embeddings.contains(where: { $0.task == embedding.task }) {
      whole.embeddings.append(embedding)
      whole.digests.append(digest)
    }
    try JSONDocument.write(whole, to: file, sealed: true)
  }
}
