import NIOCore

/// Closes a connection whose client has taken nothing of a waiting answer for so long.
///
/// While nothing is to be written a client may be as quiet as it likes.
final class DeafClientHandler: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = NIOAny

  private let limit: TimeAmount
  private var waiting = 0
  private var check: Scheduled<Void>?

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
      if own.waiting > 0 { own.watch(context, buffered: nil) }
    }
    context.write(data, promise: promise)
  }

  func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

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
