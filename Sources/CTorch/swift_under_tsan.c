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

// CheckedContinuation.resume(returning:) and resume(throwing:). A continuation is one reference, behind whose header lies its task.
SWIFT void ct_resume_returning(void *value, void *type, __attribute__((swift_context)) void **continuation)
  __asm__("$sScC6resume9returningyxn_tF");
SWIFT void ct_resume_throwing(void *error, void *type, __attribute__((swift_context)) void **continuation)
  __asm__("$sScC6resume8throwingyq_n_tF");

static SWIFT void (*resume)(void *);
static SWIFT void (*throwing_resume)(void *);
static SWIFT void (*throwing_resume_with_error)(void *, void *);
static SWIFT_ASYNC void (*await)(void *);
static SWIFT void (*resume_returning)(void *, void *, __attribute__((swift_context)) void **);
static SWIFT void (*resume_throwing)(void *, void *, __attribute__((swift_context)) void **);

__attribute__((constructor)) static void find_continuations(void) {
  *(void **)&resume = dlsym(RTLD_NEXT, "swift_continuation_resume");
  *(void **)&throwing_resume = dlsym(RTLD_NEXT, "swift_continuation_throwingResume");
  *(void **)&throwing_resume_with_error = dlsym(RTLD_NEXT, "swift_continuation_throwingResumeWithError");
  *(void **)&await = dlsym(RTLD_NEXT, "swift_continuation_await");
  *(void **)&resume_returning = dlsym(RTLD_NEXT, "$sScC6resume9returningyxn_tF");
  *(void **)&resume_throwing = dlsym(RTLD_NEXT, "$sScC6resume8throwingyq_n_tF");
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

// None where it has been resumed already, which is the runtime's to tell.
static void release_task(void **continuation) {
  void *task = ((void **)*continuation)[2];
  if (task) __tsan_release(task);
}

SWIFT void ct_resume_returning(void *value, void *type, __attribute__((swift_context)) void **continuation) {
  release_task(continuation);
  resume_returning(value, type, continuation);
}

SWIFT void ct_resume_throwing(void *error, void *type, __attribute__((swift_context)) void **continuation) {
  release_task(continuation);
  resume_throwing(error, type, continuation);
}

// Where a task goes on, by its context: whoever waits is sent through ours, since only there it is sure that it was resumed.
typedef SWIFT_ASYNC void Resumption(__attribute__((swift_async_context)) void **context);
enum { slots = 1 << 16, nearby = 64 };
static struct {
  void **context;
  Resumption *resumption;
} waiting[slots];
static atomic_flag waiting_lock = ATOMIC_FLAG_INIT;

static void lock_waiting(void) {
  while (atomic_flag_test_and_set_explicit(&waiting_lock, memory_order_acquire)) sched_yield();
}

static void unlock_waiting(void) { atomic_flag_clear_explicit(&waiting_lock, memory_order_release); }

// The slot of a context, or a free one for it; none where those nearby are taken.
static int slot(void **context) {
  const int first = (int)(((uintptr_t)context >> 4) % slots);
  int free = -1;
  for (int step = 0; step < nearby; ++step) {
    const int place = (first + step) % slots;
    if (waiting[place].context == context) return place;
    if (free < 0 && !waiting[place].context) free = place;
  }
  return free;
}

static SWIFT_ASYNC void go_on(__attribute__((swift_async_context)) void **context) {
  lock_waiting();
  const int place = slot(context);
  Resumption *const resumption = waiting[place].resumption;
  waiting[place].context = 0;
  unlock_waiting();
  __tsan_acquire(swift_task_getCurrent());
  __attribute__((musttail)) return resumption(context);
}

// A context begins with its parent and with where to go on.
SWIFT_ASYNC void swift_continuation_await(void *context) {
  void **fields = context;
  lock_waiting();
  const int place = slot(fields);
  if (place >= 0) {
    waiting[place].context = fields;
    *(void **)&waiting[place].resumption = fields[1];
    *(Resumption **)&fields[1] = go_on;
  }
  unlock_waiting();
  __attribute__((musttail)) return await(context);
}

#endif
