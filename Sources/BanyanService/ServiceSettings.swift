public import Foundation

/// Limits and habits of the service; every one has a default that suits one machine.
public struct ServiceSettings: Sendable, Equatable {
  /// The most pictures that pass the image tower at once.
  public var batchSize = 32
  /// How long the first picture of a batch waits for others while the tower is idle.
  public var gathering = Duration.milliseconds(2)
  /// How many pictures may be on their way to the tower.
  public var queueLimit = 256
  /// The longest time that a picture may be expected to take when it is accepted; beyond that it is refused.
  public var latency = Duration.seconds(10)
  /// How many requests may be in work, those that are still being read among them.
  public var requestLimit = 128
  /// How many connections may be open.
  public var connectionLimit = 512
  /// The largest body of a request, in bytes.
  public var bodyLimit = 32 << 20
  /// The most pictures of one request.
  public var pictureLimit = 64
  /// The most pixels that a picture's header may announce.
  public var pixelLimit = 50_000_000
  /// How long a client may take to send a body.
  public var uploadTime = Duration.seconds(30)
  /// Pictures a second that one address may send; `nil` for no bound.
  public var rate: Double?
  /// What a client must show; `nil` lets everybody in.
  public var token: String?
  /// Which other sites' pages may ask, none unless named; `*` is every site.
  public var origins: [String] = []
  /// Names under which the service may be called; `nil` for all, `*` among them too.
  ///
  /// A page of another site can make its own name stand for this machine's address; the name still gives it away.
  public var hosts: [String]?
  /// Where features and answers of late pictures are kept, for `banyan drift`; nowhere unless named.
  public var traffic: URL?

  /// The defaults.
  public init() {}
}
