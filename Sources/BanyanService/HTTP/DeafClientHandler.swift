import NIOCore

/// Closes a connection whose client has taken nothing of a waiting answer for so long, and until then keeps it open.
///
/// While nothing is to be written a client may be as quiet as it likes. Whoever wants the connection closed, because the service
/// stops, nothing was asked for long or the client itself is done with sending, waits until the client has what was written, for
/// twice that time at most.
final class DeafClientHandler: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = NIOAny

  private let limit: TimeAmount
  private var waiting = 0
  private var check: Scheduled<Void>?
  /// Who waits for the end of the connection or of its output, where it is to come.
  private var closing: (mode: CloseMode, promise: EventLoopPromise<Void>)?
  private var deadline: Scheduled<Void>?

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
      } else {
        own.closeNow(context)
      }
    }
    context.write(data, promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode != .input, waiting > 0, context.channel.isActive else {
      return context.close(mode: mode, promise: promise)
    }
    if let closing {
      if let promise { closing.promise.futureResult.cascade(to: promise) }
      if mode == .all { self.closing?.mode = .all }
    } else {
      closing = (mode, promise ?? context.eventLoop.makePromise())
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      deadline = context.eventLoop.scheduleTask(in: limit * 2) {
        let (own, context) = bound.value
        own.closing?.mode = .all
        own.closeNow(context)
      }
      // From now on it is told within one look who takes nothing.
      check?.cancel()
      watch(context, buffered: try? context.channel.syncOptions?.getOption(.bufferedWritableBytes))
    }
    context.flush()
  }

  private func closeNow(_ context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = nil
    guard let (mode, promise) = closing else { return }
    closing = nil
    context.close(mode: mode, promise: promise)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    check?.cancel()
    deadline?.cancel()
    closing?.promise.succeed()
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
