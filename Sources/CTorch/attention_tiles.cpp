// Attention of rows of tokens in bf16 by the processor's units for tiles (AMX), which multiply 16 × 32 by 32 × 16 numbers at
// once. Scores stand with a token's in one column, so that a softmax goes down sixteen of them side by side.
#include "Attention.hpp"

#if defined(__x86_64__) && defined(__linux__)
#include <ATen/cpu/Utils.h>
#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "Vectors.hpp"

#define WITH_TILES __attribute__((target("arch=x86-64-v4,no-prefer-256-bit,amx-tile,amx-bf16")))

namespace {

using ct::HalfHeads;
using ct::RowAttention;

// A tile's row: 16 numbers in single precision, 32 in bf16, or 16 pairs of such. A tile on the right side of a product has
// the numbers of two rows in turns in one of its own.
typedef uint32_t Pairs __attribute__((vector_size(64), aligned(4)));
typedef uint16_t Halves __attribute__((vector_size(64), aligned(2)));
typedef float Singles __attribute__((vector_size(64), aligned(4)));
constexpr int64_t side = 16, tile = side * 2 * side;
// Tokens in work at once; and keys, or numbers of a head, in one step.
constexpr int64_t block = 2 * side;

struct alignas(64) Line {
  float numbers[side];
};

int64_t padded(int64_t count) { return (count + block - 1) / block * block; }

// What one thread needs for one head, side by side: keys [keys, d], values [d, keys], what a block of tokens asks, [d, 32], its
// scores [keys, 32], their exponentials, and what they give, [d, 32]. What is behind the keys stays zero.
struct TileRoom {
  std::vector<Line> storage;
  uint16_t *keys, *values, *asking, *shares;
  float *scores, *given;

  explicit TileRoom(const RowAttention &a) {
    const int64_t count = padded(a.keys()), halves = 2 * count * a.d + block * (a.d + count), singles = block * (count + a.d);
    storage.resize((halves * sizeof(uint16_t) + singles * sizeof(float)) / sizeof(Line));
    scores = storage.data()->numbers;
    given = scores + block * count;
    keys = reinterpret_cast<uint16_t *>(given + block * a.d);
    values = keys + count * a.d;
    asking = values + count * a.d;
    shares = asking + block * a.d;
  }
};

// Sixteen rows and columns, turned. Each round moves one bit of a number's place from the row to the column.
INLINE void turn(Pairs *rows) {
  Pairs next[side];
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 8; ++i) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] =
        __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::memcpy(rows, next, sizeof next);
  }
}

// Keys or values of one row and head, the shared ones first.
struct Source {
  const HalfHeads &shared, &own;
  int64_t count, r, offset;

  INLINE const uint16_t *at(int64_t t) const { return t < count ? shared.at(0, t, offset) : own.at(r, t - count, offset); }
};

// As [keys, d].
INLINE void gather(const Source &keys, int64_t count, int64_t d, uint16_t *to) {
  for (int64_t t = 0; t < count; ++t)
    for (int64_t c = 0; c < d; c += block) std::memcpy(to + t * d + c, keys.at(t) + c, sizeof(Halves));
}

// As [d, keys].
INLINE void gather_turned(const Source &values, int64_t count, int64_t d, uint16_t *to) {
  const int64_t row = padded(count);
  for (int64_t first = 0; first < row; first += block)
    for (int64_t c = 0; c < d; c += block) {
      Pairs rows[2 * side];
      for (int64_t i = 0; i < 2 * side; ++i) {
        rows[i] = Pairs{};
        if (first + i < count) std::memcpy(&rows[i], values.at(first + i) + c, sizeof(Pairs));
      }
      turn(rows);
      turn(rows + side);
      for (int64_t i = 0; i < side; ++i) {
        Halves left, right;
        std::memcpy(&left, &rows[i], sizeof left);
        std::memcpy(&right, &rows[side + i], sizeof right);
        const Halves even = __builtin_shufflevector(left, right, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32,
                                                    34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62);
        const Halves odd = __builtin_shufflevector(left, right, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33,
                                                   35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63);
        std::memcpy(to + (c + 2 * i) * row + first, &even, sizeof even);
        std::memcpy(to + (c + 2 * i + 1) * row + first, &odd, sizeof odd);
      }
    }
}

// A block of queries as the right side of scores.
INLINE void pack(const RowAttention &a, const HalfHeads &q, int64_t r, int64_t first, int64_t offset, uint16_t *to) {
  for (int64_t c = 0; c < a.d; c += block)
    for (int64_t group = 0; group < block; group += side, to += tile) {
      Pairs rows[side];
      for (int64_t i = 0; i < side; ++i) {
        rows[i] = Pairs{};
        if (first + group + i < a.asking) std::memcpy(&rows[i], q.at(r, first + group + i, offset) + c, sizeof(Pairs));
      }
      turn(rows);
      std::memcpy(to, rows, sizeof rows);
    }
}

// c [rows, 32] = a b, a [rows, 32 · steps]; on the right side two tiles for each step.
WITH_TILES INLINE void multiply(int64_t rows, int64_t steps, const uint16_t *a, const uint16_t *b, float *c) {
  constexpr int64_t c_bytes = block * sizeof(float), b_bytes = block * sizeof(uint16_t);
  const int64_t a_bytes = b_bytes * steps, below = side * block * steps;
  for (int64_t i = 0; i < rows; i += block, a += 2 * below, c += block * block) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t step = 0; step < steps; ++step) {
      _tile_loadd(4, a + step * block, a_bytes);
      _tile_loadd(5, a + step * block + below, a_bytes);
      _tile_loadd(6, b + 2 * step * tile, b_bytes);
      _tile_loadd(7, b + (2 * step + 1) * tile, b_bytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, c_bytes);
    _tile_stored(1, c + side, c_bytes);
    _tile_stored(2, c + side * block, c_bytes);
    _tile_stored(3, c + side * block + side, c_bytes);
  }
}

INLINE uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

INLINE float number(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// 2^x for x <= 0, at least 2^-100, as bf16 in the upper bits: within 8e-5, a twentieth of what rounding may take. NaN stays NaN:
// what comes from bf16, or from the processor, has nothing in the lower bits.
INLINE uint32_t power(float x) {
#pragma clang fp contract(fast)
  x = x < -100.0f ? -100.0f : x;
  // On top of it a number has no places after the point, and the whole one stands in its lower bits.
  constexpr float large = 0x1.8p23f;
  const float whole = x + large, f = x - (whole - large);
  const float p = ((0.05517167f * f + 0.24261112f) * f + 0.69326099f) * f + 0.99992807f;
  return (bits_of(p) + (bits_of(whole) << 23) + 0x8000) & 0xffff0000;
}

// The exponentials of sixteen tokens' scores s [keys, 32], an even number of keys, as the right side of what they give; and one
// by their sums. With `scale` they are powers of two.
INLINE void exponentials(const float *s, int64_t keys, float scale, uint16_t *to, float *inverse) {
#pragma clang fp contract(fast)
  float top[side], sum[side] = {};
  for (int l = 0; l < side; ++l) top[l] = s[l];
  for (int64_t t = 1; t < keys; ++t)
    for (int l = 0; l < side; ++l) top[l] = s[t * block + l] > top[l] ? s[t * block + l] : top[l];
  for (int l = 0; l < side; ++l) top[l] *= scale;
  for (int64_t t = 0; t < keys; t += 2) {
    uint32_t pairs[side];
    for (int l = 0; l < side; ++l) {
      const uint32_t one = power(s[t * block + l] * scale - top[l]);
      const uint32_t two = power(s[(t + 1) * block + l] * scale - top[l]);
      sum[l] += number(one) + number(two);
      pairs[l] = one >> 16 | two;
    }
    std::memcpy(to + t / block * 2 * tile + t % block * side, pairs, sizeof pairs);
  }
  for (int l = 0; l < side; ++l) inverse[l] = 1 / sum[l];
}

WITH_TILES INLINE void head(const RowAttention &a, int64_t r, int64_t h, const HalfHeads &q, const HalfHeads &shared_k,
                            const HalfHeads &shared_v, const HalfHeads &k, const HalfHeads &v, const HalfHeads &out,
                            TileRoom &room) {
  const int64_t d = a.d, offset = h * d, keys = a.keys(), even = (keys + 1) / 2 * 2;
  const float scale = 1.44269504f / std::sqrt(static_cast<float>(d));
  gather({shared_k, k, a.shared, r, offset}, keys, d, room.keys);
  gather_turned({shared_v, v, a.shared, r, offset}, keys, d, room.values);
  for (int64_t first = 0; first < a.asking; first += block) {
    pack(a, q, r, first, offset, room.asking);
    multiply(padded(keys), d / block, room.keys, room.asking, room.scores);
    // What is no key gets next to nothing, of a value of zero.
    if (even > keys) std::fill_n(room.scores + keys * block, block, -std::numeric_limits<float>::infinity());
    float inverse[block];
    for (int64_t group = 0; group < block; group += side)
      exponentials(room.scores + group, even, scale, room.shares + group / side * tile, inverse + group);
    multiply(d, padded(keys) / block, room.values, room.shares, room.given);
    for (int64_t group = 0; group < std::min(block, a.asking - first); group += side) {
      Singles factor;
      std::memcpy(&factor, inverse + group, sizeof factor);
      for (int64_t c = 0; c < d; c += side) {
        Pairs rows[side];
        for (int64_t i = 0; i < side; ++i) {
          Singles given;
          std::memcpy(&given, room.given + (c + i) * block + group, sizeof given);
          given *= factor;
          std::memcpy(&rows[i], &given, sizeof given);
        }
        turn(rows);
        for (int64_t i = 0; i < std::min(side, a.asking - first - group); ++i) {
          uint16_t *to = out.at(r, first + group + i, offset) + c;
          for (int l = 0; l < side; ++l) store(to[l], number(rows[i][l]));
        }
      }
    }
  }
}

// How many bytes and rows each of the eight tiles has.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

WITH_TILES void heads(const RowAttention &a, int64_t begin, int64_t end, const HalfHeads &q, const HalfHeads &shared_k,
                      const HalfHeads &shared_v, const HalfHeads &k, const HalfHeads &v, const HalfHeads &out,
                      TileRoom &room) {
  const TileShapes shapes;
  TileShapes before;
  // Shapes belong to the thread, and oneDNN sets its own.
  _tile_storeconfig(&before);
  _tile_loadconfig(&shapes);
  for (int64_t i = begin; i < end; ++i) head(a, i / a.heads, i % a.heads, q, shared_k, shared_v, k, v, out, room);
  _tile_loadconfig(&before);
}

}  // namespace

namespace ct {

bool has_tiles(int64_t d) {
  static const bool answer = has_wide_registers() && __builtin_cpu_supports("amx-bf16") && at::cpu::init_amx();
  return answer && d % block == 0;
}

void RowAttention::forward_by_tiles(const HalfHeads &q, const HalfHeads &shared_k, const HalfHeads &shared_v,
                                    const HalfHeads &k, const HalfHeads &v, const HalfHeads &out) const {
  count_multiplications(2 * rows * heads * asking * keys() * d);
  parallel(rows * heads, [&](int64_t begin, int64_t end) {
    TileRoom room(*this);
    ::heads(*this, begin, end, q, shared_k, shared_v, k, v, out, room);
  });
}

}  // namespace ct

#else

namespace ct {

bool has_tiles(int64_t) { return false; }

void RowAttention::forward_by_tiles(const HalfHeads &q, const HalfHeads &shared_k, const HalfHeads &shared_v,
                                    const HalfHeads &k, const HalfHeads &v, const HalfHeads &out) const {
  forward(q, shared_k, shared_v, k, v, out);
}

}  // namespace ct

#endif
