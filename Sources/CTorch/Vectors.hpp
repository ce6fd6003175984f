// What loops over numbers in single precision and in bf16 are written with.
#pragma once

#include <cstdint>
#include <cstring>

#include "Loops.hpp"

// One binary for every processor: what is marked with it is compiled for three generations, and the loader takes the best.
// Not under the thread sanitizer, which is not ready yet when the loader asks.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
#define EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_PROCESSOR
#endif
#define INLINE inline __attribute__((always_inline))

namespace ct {

// exp(x) for x <= 0, within two units in the last place down to -87 and exp(-87) below: 2^n · exp(r) with |r| <= ln 2 / 2.
// NaN stays NaN.
INLINE float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float known = x >= -87.0f ? x : -87.0f;
  const int32_t n = static_cast<int32_t>(known * 1.44269504f - 0.5f);
  const float whole = static_cast<float>(n);
  const float r = (x - whole * 0.693359375f) - whole * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = (n + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

// The largest of some numbers, sixteen at a time: a loop over single ones waits for every comparison. Of NaNs nothing is
// promised.
INLINE float largest(const float *x, int64_t count) {
  typedef float Vector __attribute__((vector_size(64), aligned(4)));
  constexpr int64_t lanes = 16;
  float top = x[0];
  int64_t j = 0;
  if (count >= lanes) {
    Vector tops, next;
    std::memcpy(&tops, x, sizeof tops);
    for (j = lanes; j + lanes <= count; j += lanes) {
      std::memcpy(&next, x + j, sizeof next);
      tops = next > tops ? next : tops;
    }
    for (int64_t i = 0; i < lanes; ++i) top = tops[i] > top ? tops[i] : top;
  }
  for (; j < count; ++j) top = x[j] > top ? x[j] : top;
  return top;
}

// Numbers in bf16 are their upper sixteen bits; rounded to the nearest, ties to even.
INLINE float load(float x) { return x; }
INLINE float load(uint16_t x) {
  const uint32_t bits = static_cast<uint32_t>(x) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
INLINE void store(float &to, float value) { to = value; }
INLINE void store(uint16_t &to, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t up = bits + 0x7fff + ((bits >> 16) & 1);
  to = static_cast<uint16_t>((value != value ? 0x7fc00000 : up) >> 16);
}

}  // namespace ct

using ct::exponential;
using ct::largest;
using ct::load;
using ct::store;
