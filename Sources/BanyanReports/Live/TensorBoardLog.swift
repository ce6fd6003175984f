import BanyanFoundation
public import Foundation

/// A file of events that TensorBoard reads while it grows: numbers by step, pictures, and settings with what they led to.
///
/// Unlike a ``RunRecord``, which appears whole when a run is finished, it is appended to as things happen; its last event may be
/// cut off where a process is killed, which its readers pass over.
public final class TensorBoardLog {
  /// A setting or its value.
  public enum Value: Sendable, Equatable {
    /// A number.
    case number(Double)
    /// A word.
    case text(String)
    /// Yes or no.
    case flag(Bool)
  }

  /// The file.
  public let url: URL
  private let handle: FileHandle
  private let clock: () -> Date

  /// Begins a file in `folder`, which is one run to TensorBoard.
  ///
  /// - Throws: A `BanyanError` where the folder cannot be written to.
  public init(folder: URL, clock: @escaping () -> Date = Date.init) throws {
    try AtomicFile.createFolder(folder)
    let seconds = Int(clock().timeIntervalSince1970)
    let name = "events.out.tfevents.\(seconds).banyan.\(ProcessInfo.processInfo.processIdentifier)"
    // A second log of one process in one second gets a number.
    var url = folder.appending(path: name)
    var number = 1
    while FileManager.default.fileExists(atPath: url.path) {
      url = folder.appending(path: "\(name).\(number)")
      number += 1
    }
    self.url = url
    self.clock = clock
    guard FileManager.default.createFile(atPath: url.path, contents: nil),
      let handle = try? FileHandle(forWritingTo: url)
    else {
      throw BanyanError(
        .failed, at: url.path, "cannot be written", remedy: "Name another folder with --tensorboard.")
    }
    self.handle = handle
    try write { $0.text(3, "brain.Event:2") }
  }

  deinit { try? handle.close() }

  /// A number at a step.
  public func scalar(_ tag: String, _ value: Double, step: Int) throws {
    try summary(step: step) { item in
      item.text(1, tag)
      item.float(2, Float(value))
    }
  }

  /// A picture at a step, as the bytes of a PNG file.
  public func image(_ tag: String, png: Data, width: Int, height: Int, step: Int) throws {
    try summary(step: step) { item in
      item.text(1, tag)
      item.message(4) { image in
        image.integer(1, Int64(height))
        image.integer(2, Int64(width))
        image.integer(3, 4)
        image.data(4, png)
      }
    }
  }

  /// What a run was asked for, in the order given, and which numbers it will be judged by.
  public func begin(_ settings: [(name: String, value: Value)], metrics: [String]) throws {
    try hyperparameters("_hparams_/experiment") { data in
      data.message(2) { experiment in
        for (name, value) in settings {
          experiment.message(4) { info in
            info.text(1, name)
            let type: Int64 =
              switch value {
              case .text: 1
              case .flag: 2
              case .number: 3
              }
            info.integer(4, type)
          }
        }
        for metric in metrics {
          experiment.message(5) { info in info.message(1) { $0.text(2, metric) } }
        }
      }
    }
    let start = clock().timeIntervalSince1970
    try hyperparameters("_hparams_/session_start_info") { data in
      data.message(3) { session in
        for (name, value) in settings {
          session.message(1) { entry in
            entry.text(1, name)
            entry.message(2) { wrapped in
              switch value {
              case .number(let number): wrapped.double(2, number)
              case .text(let text): wrapped.text(3, text)
              case .flag(let flag): wrapped.integer(4, flag ? 1 : 0)
              }
            }
          }
        }
        session.double(5, start)
      }
    }
  }

  /// Ends what ``begin(_:metrics:)`` began.
  public func end(succeeded: Bool) throws {
    let now = clock().timeIntervalSince1970
    try hyperparameters("_hparams_/session_end_info") { data in
      data.message(4) { session in
        session.integer(1, succeeded ? 1 : 2)
        session.double(2, now)
      }
    }
  }

  private func hyperparameters(_ tag: String, _ build: (inout ProtobufMessage) -> Void) throws {
    var content = ProtobufMessage()
    build(&content)
    try summary(step: 0) { item in
      item.text(1, tag)
      item.message(9) { metadata in
        metadata.message(1) { plugin in
          plugin.text(1, "hparams")
          plugin.data(2, content.bytes)
        }
      }
    }
  }

  private func summary(step: Int, _ build: (inout ProtobufMessage) -> Void) throws {
    try write { event in
      if step != 0 { event.integer(2, Int64(step)) }
      event.message(5) { summary in summary.message(1, build) }
    }
  }

  /// One record: length, its check sum, the event, its check sum.
  private func write(_ build: (inout ProtobufMessage) -> Void) throws {
    var event = ProtobufMessage()
    event.double(1, clock().timeIntervalSince1970)
    build(&event)
    func bytes(_ value: some FixedWidthInteger) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } }
    let length = bytes(UInt64(event.bytes.count))
    let record =
      length + bytes(MaskedCRC32C.masked(length)) + event.bytes + bytes(MaskedCRC32C.masked(event.bytes))
    do {
      try handle.write(contentsOf: record)
    } catch {
      throw BanyanError(.failed, at: url.path, "cannot be written: \(error.localizedDescription)")
    }
  }
}
