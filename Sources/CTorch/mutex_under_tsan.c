// Swift's Mutex under the thread sanitizer; nothing in other builds.
//
// Its quick way is inlined where it is used, and so compiled with the sanitizer. Whoever finds it taken goes on in
// libswiftSynchronization, which is not: the sanitizer does not see that lock, and takes what it guards for a race. Here the program
// has that function itself, under its Swift name, and the linker takes the program's own first. It never marks the word as
// waited for, so that the slow way out is never taken.
#if defined(__linux__) && __has_feature(thread_sanitizer)

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

// _MutexHandle._lockSlow(_ own: UInt32); the handle is one word: 0, or the owner's thread number below two bits of the kernel's.
__attribute__((swiftcall)) void ct_wait_for_mutex(uint32_t own, __attribute__((swift_context)) _Atomic(uint32_t) *word)
  __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");

__attribute__((swiftcall)) void ct_wait_for_mutex(uint32_t own, __attribute__((swift_context)) _Atomic(uint32_t) *word) {
  for (;;) {
    uint32_t found = 0;
    if (atomic_compare_exchange_weak_explicit(word, &found, own, memory_order_acquire, memory_order_relaxed)) return;
    // Swift's own ends the program too where a thread takes what it has.
    if ((found & 0x3fffffff) == own) __builtin_trap();
    sched_yield();
  }
}

#endif
