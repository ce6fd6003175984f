import Hummingbird
import NIOCore

/// What is known of a request beside itself.
struct ServiceContext: RequestContext, RemoteAddressRequestContext {
  var coreContext: CoreRequestContextStorage
  let remoteAddress: SocketAddress?
  private let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
    remoteAddress = source.channel.remoteAddress
  }

  /// Ends the connection once the answer has had time to arrive, whatever the client still sends.
  func closeSoon() {
    let channel = channel
    channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
  }

  /// What limits by address count by: the host without the port.
  var client: String { remoteAddress?.ipAddress ?? remoteAddress?.pathname ?? "unknown" }
}
