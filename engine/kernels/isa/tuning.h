// SPDX-License-Identifier: MIT
#pragma once

// The numbers that are right for machines, not for mathematics: how work is cut for threads and caches, and what ways
// of doing the same cost. Another machine may want others. None changes a bit of a result, but for those under "Sums".
//
// Measured means: old and new build in turn, medians of several runs, on a core of a server with AVX-512, 48 KiB of
// first and 1.25 MiB of second level cache; AVX2 and the baseline by TEFF_ISA. README.md says how to repeat it.

#include <cstdint>
#include <type_traits>

namespace teff::kernels {

using std::int64_t;

// Tasks. To give one away costs about 2 us between cores that share a cache.

/// Values in one task of a loop that computes value by value, and of a copy: some microseconds.
inline constexpr int64_t kGrain = 32768;
/// The same of an optimiser's step, which does little more than read and write. Weights that fit a core's cache stay
/// there: the next operation wants them where it runs, and to fetch them from another core costs more than the step.
inline constexpr int64_t kStepGrain = 131072;
/// Multiplications in one task of a product or a convolution, 5 to 17 us. A million left the linear layers of small
/// networks on one thread: the recipe's step at batch 32 on two threads took 830 us, with 0.4 million 770.
inline constexpr int64_t kMultiplyAddsPerTask = 400'000;
/// The same for depthwise filters, which reach a fraction of that speed. A quarter of what it was before: together with
/// strips for few panels of channels, MobileNetV2 on two threads 4.5 -> 4.25 ms.
inline constexpr int64_t kDepthwiseMultiplyAddsPerTask = 50'000;
/// Elements of the matrix in one task of matrix times vector, which only reads it.
inline constexpr int64_t kMatVecElementsPerTask = 65536;
/// Weights in one task that packs them.
inline constexpr int64_t kPackedPerTask = 32768;
/// The most tasks that a product or a convolution is cut into for the sake of threads: enough to balance; each packs
/// for itself.
inline constexpr int64_t kMaxTasks = 8;

// Caches. The first level is taken for 32 KiB, the second for at least 1 MiB, of which half is used.

/// What is to stay in the second level: a strip of an image with the sums over it, a block of images.
inline constexpr int64_t kSecondLevelBytes = 512 * 1024;
/// The most of k that a tile goes through. The less often C is read and written again, the better, as long as a task's
/// packed rows of A fit the second level.
inline constexpr int64_t kBlockDepth = 512;
/// Rows of A in a task of a product: times kBlockDepth, 420 KiB of floats.
inline constexpr int64_t kGemmChunkRows = 210;
/// Columns of B in a task, of a product or of the gradient of a weight: how often a packed panel of A is used.
inline constexpr int64_t kChunkColumns = 1024;
/// Output channels in a task of a convolution: their weights stay in the second level.
inline constexpr int64_t kChunkChannels = 280;
/// Pixels in a task of a convolution.
inline constexpr int64_t kChunkPixels = 512;
/// To have more tasks channels are not cut finer, for each task packs all its pixels, ...
inline constexpr int64_t kLeastChunkChannels = 128;
/// ... nor pixels, for each task reads all its weights.
inline constexpr int64_t kLeastChunkPixels = 96;
/// Rows of a strip below which copying those around it would be most of the work.
inline constexpr int64_t kLeastStripRows = 4;
/// Values of a plane that a depthwise filter copies at once: the first level has room for them and for the output.
inline constexpr int64_t kDepthwiseStripValues = 4096;
/// Pixels of a block of dot products: a few channels of it fit the first level.
inline constexpr int64_t kDotPixels = 1024;
/// Values of the transformed input of a chunk of Winograd's method, ...
inline constexpr int64_t kWinogradChunkValues = 112 * 1024;
/// ... but at least so many panels of tiles, for each chunk reads all weights: 64 channels at 56 x 56 make four chunks,
/// which two threads take whole (535 -> 438 us).
inline constexpr int64_t kLeastWinogradPanels = 4;
/// Rows far apart are no pattern that a machine foresees: they are asked for this many rows ahead.
inline constexpr int64_t kRowsAhead = 12;

// Which way is the quickest.

/// Whether a type has the ways that take the most code: channels in the lanes, bands of depthwise filters, Winograd's
/// method. In float64, which checks more often than it runs, they made 0.2 MB of a program.
template <class T>
inline constexpr bool kHasEveryWay = std::is_same_v<T, float>;
/// Input channels up to which a 1 x 1 convolution is mostly writing its result: 16 -> 96 channels at 112 x 112 took
/// 540, in place 460 us; 24 -> 144 at 56 x 56 250 and 228.
inline constexpr int64_t kShallowDepth = 32;
/// Output channels up to which a convolution reads the planes as they are: packing costs half a cycle a value, which is
/// more than so few multiplications of it.
inline constexpr int64_t kFewChannels = 64;
/// Output channels up to which the gradient of a weight is dot products: both sides of a product would want packing.
inline constexpr int64_t kMaxDotRows = 16;
/// Cycles that gathering and scattering take for each value of one image, where lanes are images.
inline constexpr double kCyclesPerLaneValue = 0.35;
/// Weights from which on reading them takes as long as kWinogradReading tiles: no cache near the core holds them.
inline constexpr int64_t kManyWinogradWeights = 32768, kWinogradReading = 8;

// By instruction set: the tallest tile (rows x 2 packets of sums, two packets of B and one value of A must fit the
// registers), the packets of a panel where lanes are channels, and what a packet costs there, compared with lanes that
// are pixels: wide tiles come closer to the machine's peak, low ones wait for the cache if each value of depth is a
// cache line of its own, as it is without a window. Measured on layers of 64 to 512 channels, 3 x 3 and 1 x 1, at 7 to
// 56 pixels.
#if defined(__AVX512F__)
inline constexpr int64_t kTileRows = 14, kChannelPackets = 4;
inline constexpr double kCostOfWindow = 0.9, kCostOfProduct = 0.9;
#elif defined(__aarch64__)
inline constexpr int64_t kTileRows = 14, kChannelPackets = 4;
inline constexpr double kCostOfWindow = 0.95, kCostOfProduct = 1.2;
#elif defined(__FMA__)
inline constexpr int64_t kTileRows = 6, kChannelPackets = 2;
inline constexpr double kCostOfWindow = 0.95, kCostOfProduct = 1.2;
#else
inline constexpr int64_t kTileRows = 4, kChannelPackets = 2;
inline constexpr double kCostOfWindow = 1.05, kCostOfProduct = 1.5;
#endif

// Sums: these change the order in which values are added, and so the last bits of results.

/// The packets of sums of matrix times vector: enough to hide the latency of an addition.
inline constexpr int kMatVecPackets = 8;
/// Parts of the batch for which the gradient of a weight is summed by itself, if the batch is one block of images.
inline constexpr int64_t kLeastTasks = 2;

}  // namespace teff::kernels
