// What Swift's own libraries do not tell the thread sanitizer, since they are compiled without it; nothing in other builds. The program
// has these functions itself, under their Swift names, and the linker takes the program's own first.
#if defined(__linux__) && __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#define SWIFT __attribute__((swiftcall))
#define SWIFT_ASYNC __attribute__((swiftasynccall))

// --- Mutex -------------------------------------------------------------------------------------------------------------------
// Its quick way is inlined where it is used, and so compiled with the sanitizer. Whoever finds it taken goes on in
// libswiftSynchronization; the sanitizer does not see that lock, and takes what it guards for a race. Ours never marks the word as
// waited for, so that the slow way out is never taken.

// _MutexHandle._lockSlow(_ own: UInt32); the handle is one word: 0, or the owner's thread number below two bits of the kernel's.
SWIFT void ct_wait_for_mutex(uint32_t own, __attribute__((swift_context)) _Atomic(uint32_t) *word)
  __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

SWIFT void ct_wait_for_mutex(uint32_t own, __attribute__((swift_context)) _Atomic(uint32_t) *word) {
  for (;;) {
    uint32_t found = 0;
    if (atomic_compare_exchange_weak_explicit(word, &found, own, memory_order_acquire, memory_order_relaxed)) return;
    // Swift's own ends the program too where a thread takes what it has.
    if ((found & 0x3fffffff) == own) __builtin_trap();
    sched_yield();
  }
}

// --- continuations -----------------------------------------------------------------------------------------------------------
// The runtime says what a task sees that waits for a continuation, but not what one sees that has been resumed before it waits.

void __tsan_acquire(void *address);
void __tsan_release(void *address);
SWIFT void *swift_task_getCurrent(void);
SWIFT void swift_continuation_resume(void *task);
SWIFT void swift_continuation_throwingResume(void *task);
SWIFT void swift_continuation_throwingResumeWithError(void *task, void *error);
SWIFT_ASYNC void swift_continuation_await(void *context);

static SWIFT void (*resume)(void *);
static SWIFT void (*throwing_resume)(void *);
static SWIFT void (*throwing_resume_with_error)(void *, void *);
static SWIFT_ASYNC void (*await)(void *);

__attribute__((constructor)) static void find_continuations(void) {
  *(void **)&resume = dlsym(RTLD_NEXT, "swift_continuation_resume");
  *(void **)&throwing_resume = dlsym(RTLD_NEXT, "swift_continuation_throwingResume");
  *(void **)&throwing_resume_with_error = dlsym(RTLD_NEXT, "swift_continuation_throwingResumeWithError");
  *(void **)&await = dlsym(RTLD_NEXT, "swift_continuation_await");
}

SWIFT void swift_continuation_resume(void *task) {
  __tsan_release(task);
  resume(task);
}

SWIFT void swift_continuation_throwingResume(void *task) {
  __tsan_release(task);
  throwing_resume(task);
}

SWIFT void swift_continuation_throwingResumeWithError(void *task, void *error) {
  __tsan_release(task);
  throwing_resume_with_error(task, error);
}

SWIFT_ASYNC void swift_continuation_await(void *context) {
  __tsan_acquire(swift_task_getCurrent());
  __attribute__((musttail)) return await(context);
}

#endif
