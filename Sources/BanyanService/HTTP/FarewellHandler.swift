import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection once an answer that says `Connection: close` is written and its request has come whole, or after a time.
///
/// What still comes meanwhile is thrown away: with bytes unread a connection ends as an error at the client's side, before it has
/// read the answer. Unlike a ``DeafClientHandler``, which minds clients that do not read, this one minds those that still send.
final class FarewellHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let limit: TimeAmount
  /// Whether nothing of a request is still to come.
  private var isWhole = true
  private var isLast = false
  private var isAnswered = false
  private var end: Scheduled<Void>?

  /// - Parameter limit: How long the rest of a request may take.
  init(limit: TimeAmount) { self.limit = limit }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: isWhole = false
    case .body: break
    case .end: isWhole = true
    }
    guard isAnswered else { return context.fireChannelRead(data) }
    if isWhole { context.close(promise: nil) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    // Whoever would ask for more has what it wanted.
    if isAnswered { context.read() }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head): isLast = head.headerFields[.connection] == "close"
    case .body: break
    case .end:
      guard isLast else { break }
      let promise = promise ?? context.eventLoop.makePromise()
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      promise.futureResult.whenComplete { _ in
        let (own, context) = bound.value
        own.part(context)
      }
      return context.write(data, promise: promise)
    }
    context.write(data, promise: promise)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end?.cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end?.cancel() }

  private func part(_ context: ChannelHandlerContext) {
    guard !isAnswered else { return }
    isAnswered = true
    guard !isWhole, context.channel.isActive else { return context.close(promise: nil) }
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    end = context.eventLoop.scheduleTask(in: limit) { bound.value.close(promise: nil) }
    context.read()
  }
}
