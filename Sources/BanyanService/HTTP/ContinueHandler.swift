import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Says `100 Continue` to clients that ask before they send a body, as curl does with large files.
///
/// Who announces more than is taken is not told to go on, and stops at the answer.
final class ContinueHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  private let limit: Int

  /// - Parameter limit: The largest body that is taken, in bytes.
  init(limit: Int) { self.limit = limit }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head(let head) = unwrapInboundIn(data), head.headerFields[.expect]?.lowercased() == "100-continue",
      head.headerFields[.contentLength].flatMap(Int.init) ?? 0 <= limit
    {
      context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }
    context.fireChannelRead(data)
  }
}
