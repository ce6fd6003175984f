import Hummingbird
import NIOCore
import Synchronization

/// What is known of a request beside itself.
struct ServiceContext: RequestContext, RemoteAddressRequestContext {
  var coreContext: CoreRequestContextStorage
  let remoteAddress: SocketAddress?
  private let body = Body()

  private final class Body: Sendable {
    let isRead = Atomic<Bool>(false)
  }

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress
  }

  /// Whether nothing of the request is still to come.
  var isBodyRead: Bool { body.isRead.load(ordering: .relaxed) }

  /// Takes note that nothing of the request is still to come.
  func bodyIsRead() { body.isRead.store(true, ordering: .relaxed) }

  /// What limits by address count by: the host without the port.
  var client: String { remoteAddress?.ipAddress ?? remoteAddress?.pathname ?? "unknown" }
}
