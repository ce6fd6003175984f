import NIOCore

/// Closes a connection whose client has taken nothing of a waiting answer for so long, and until then keeps it open.
///
/// While nothing is to be written a client may be as quiet as it likes. Whoever wants the connection closed, because the service
/// stops or nothing was asked for long, waits until the client has what was written.
final class DeafClientHandler: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = NIOAny

  private let limit: TimeAmount
  private var waiting = 0
  private var check: Scheduled<Void>?
  /// Who waits for the end of the connection, where it is to come.
  private var closing: EventLoopPromise<Void>?

  init(limit: TimeAmount) { self.limit = limit }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let promise = promise ?? context.eventLoop.makePromise()
    waiting += 1
    if waiting == 1 { watch(context, buffered: nil) }
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    promise.futureResult.whenComplete { _ in
      let (own, context) = bound.value
      own.waiting -= 1
      own.check?.cancel()
      own.check = nil
      if own.waiting > 0 {
        own.watch(context, buffered: nil)
      } else if let promise = own.closing {
        own.closing = nil
        context.close(promise: promise)
      }
    }
    context.write(data, promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .all, waiting > 0, context.channel.isActive else {
      return context.close(mode: mode, promise: promise)
    }
    if let closing {
      if let promise { closing.futureResult.cascade(to: promise) }
    } else {
      closing = promise ?? context.eventLoop.makePromise()
    }
    context.flush()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    check?.cancel()
    closing?.succeed()
    closing = nil
  }

  /// Looks again after the time: less in the buffer than before is a slow client, and not a deaf one.
  private func watch(_ context: ChannelHandlerContext, buffered: Int?) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    check = context.eventLoop.scheduleTask(in: limit) {
      let (own, context) = bound.value
      let now = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
      if let buffered, let now, now >= buffered {
        context.close(promise: nil)
      } else {
        own.watch(context, buffered: now ?? 0)
      }
    }
  }
}
