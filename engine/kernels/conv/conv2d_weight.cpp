// SPDX-License-Identifier: MIT
// dW = sum over the batch of dY * cols(X)^T: a product whose inner dimension is the pixels of all images. It is cut
// into blocks of whole output rows, or of several whole images if these are small. Both operands are packed, which for
// few output channels would cost more than the multiplications: then dot products take them as they are.

#include "teff/engine/kernels/conv/conv2d_depthwise.h"
#include "teff/engine/kernels/conv/conv_kernels.h"
#include "teff/engine/kernels/conv/dot_products.h"
#include "teff/engine/kernels/conv/image_lanes.h"
#include "teff/engine/kernels/gemm/gemm_pack.h"
#include "teff/engine/kernels/isa/tables.h"
#include "teff/engine/parallel.h"

namespace teff::kernels::TEFF_ISA {
namespace {

/// How the work on one group is cut.
struct WeightPlan {
  bool dot;              // dot products, without packing
  Parts panels;          // output channels of the group, into tile heights
  Parts panel_chunks;    // panels, into tasks
  Parts channel_chunks;  // input channels of the group, into tasks
  Parts strips;          // output rows, into blocks
  Parts image_groups;    // images, into blocks: 1 image in each if there are several strips
  Parts batch_chunks;    // image groups, into tasks
};

template <class T>
WeightPlan plan_weight(const Window2d& w) {
  const int64_t taps = w.kernel_height * w.kernel_width;
  const int64_t out_channels = w.out_channels / w.groups, in_channels = w.channels / w.groups;
  const int64_t pixels = w.out_height * w.out_width;
  WeightPlan plan;
  plan.dot = out_channels <= kMaxDotRows && w.out_width >= kLanes<T>;
  const int64_t depth = plan.dot ? kDotPixels : kBlockDepth;
  plan.panels = parts_of_at_most(out_channels, kTileRows);
  plan.panel_chunks = parts_of_at_most(plan.panels.count, kChunkChannels / kTileRows);
  plan.channel_chunks = parts_of_at_most(in_channels, larger(1, kChunkColumns / taps));
  plan.strips = parts_of_at_most(w.out_height, larger(1, depth / w.out_width));
  plan.image_groups = parts_of_at_most(w.batch, plan.strips.count > 1 ? 1 : larger(1, depth / pixels));
  const int64_t products = out_channels * in_channels * taps * pixels * w.batch * w.groups;
  const int64_t wanted = smaller(kMaxTasks, products / kMultiplyAddsPerTask);
  const int64_t tasks = w.groups * plan.panel_chunks.count * plan.channel_chunks.count;
  plan.batch_chunks = {plan.image_groups.count, larger(1, smaller(plan.image_groups.count, wanted / tasks))};
  return plan;
}

/// The chunk [panels, channels] of the gradient of one group's weight, over some of the batch.
template <class T>
class WeightGradientTask {
 public:
  WeightGradientTask(const Window2d& w, const WeightPlan& plan, const Columns<T>& columns, int64_t group)
      : w_(w),
        plan_(plan),
        columns_(columns),
        group_(group),
        taps_(w.kernel_height * w.kernel_width),
        depth_(plan.strips.longest() * plan.image_groups.longest() * w.out_width),
        a_step_(plan.panels.longest() * depth_ + kLanes<T>),
        strip_step_(columns.strip_size(columns.channels())),
        a_(static_cast<std::size_t>(plan.dot ? 0 : a_step_ * plan.panel_chunks.longest())),
        b_(static_cast<std::size_t>(plan.dot ? 0 : depth_ * kTileColumns<T> + kLanes<T>)),
        strips_(static_cast<std::size_t>(scratch_size({strip_step_, plan.image_groups.longest()}))) {}

  void run(int64_t panel_chunk, int64_t channel_chunk, int64_t batch_chunk, const T* grad, const T* input, T* result) {
    first_panel_ = plan_.panel_chunks.begin(panel_chunk);
    last_panel_ = plan_.panel_chunks.begin(panel_chunk + 1);
    channel_ = plan_.channel_chunks.begin(channel_chunk);
    channels_ = plan_.channel_chunks.length(channel_chunk);
    DotProducts<T> dots(plan_.dot ? plan_.panels.size : 0, plan_.dot ? channels_ * taps_ : 0);
    bool accumulate = false;
    for (int64_t g = plan_.batch_chunks.begin(batch_chunk); g < plan_.batch_chunks.begin(batch_chunk + 1); ++g) {
      for (int64_t s = 0; s < plan_.strips.count; ++s) {
        image_ = plan_.image_groups.begin(g);
        images_ = plan_.image_groups.length(g);
        row_ = plan_.strips.begin(s);
        rows_ = plan_.strips.length(s);
        prepare_strips(input);
        if (plan_.dot) {
          add_dot_products(grad, !accumulate, dots);
        } else {
          add_block(grad, accumulate, result);
        }
        accumulate = true;
      }
    }
    if (plan_.dot) dots.totals(w_.channels / w_.groups * taps_, result + channel_ * taps_);
  }

 private:
  int64_t pixels() const { return rows_ * w_.out_width; }

  void add_dot_products(const T* grad, bool first, DotProducts<T>& dots) {
    const int64_t plane = w_.out_height * w_.out_width;
    for (int64_t i = 0; i < images_; ++i) {
      const int64_t channel = (image_ + i) * w_.out_channels + group_ * plan_.panels.size;
      dots.add({.height = rows_,
                .width = w_.out_width,
                .a = grad + channel * plane + row_ * w_.out_width,
                .a_step = plane,
                .b = strip_ + i * image_step_,
                .offsets = columns_.offsets(),
                .b_pitch = columns_.pitch()},
               first && i == 0);
    }
  }

  void add_block(const T* grad, bool accumulate, T* result) {
    for (int64_t p = first_panel_; p < last_panel_; ++p) pack_grad(grad, p);
    const int64_t width = w_.channels / w_.groups * taps_, count = channels_ * taps_;
    for (int64_t j = 0; j < count; j += kTileColumns<T>) {
      const int64_t columns = smaller(kTileColumns<T>, count - j);
      pack_columns(j, columns);
      for (int64_t p = first_panel_; p < last_panel_; ++p) {
        multiply_tile<T>(plan_.panels.length(p), {.k = images_ * pixels(),
                                                  .a = a_panel(p),
                                                  .b = b_.data(),
                                                  .b_stride = kTileColumns<T>,
                                                  .offsets = nullptr,
                                                  .c = result + plan_.panels.begin(p) * width + channel_ * taps_ + j,
                                                  .ldc = width,
                                                  .columns = columns,
                                                  .accumulate = accumulate,
                                                  .row_bias = nullptr,
                                                  .column_bias = nullptr,
                                                  .clamp = {}});
      }
    }
  }

  T* a_panel(int64_t p) { return a_.data() + (p - first_panel_) * a_step_; }

  void pack_grad(const T* grad, int64_t p) {
    const int64_t plane = w_.out_height * w_.out_width, rows = plan_.panels.length(p);
    const int64_t channel = group_ * plan_.panels.size + plan_.panels.begin(p);
    for (int64_t i = 0; i < images_; ++i) {
      const T* from = grad + ((image_ + i) * w_.out_channels + channel) * plane + row_ * w_.out_width;
      pack_transposed(rows, pixels(), from, plane, a_panel(p) + i * pixels() * rows, rows);
    }
  }

  void prepare_strips(const T* input) {
    const int64_t plane = w_.height * w_.width, channel = group_ * (w_.channels / w_.groups) + channel_;
    image_step_ = strip_step_ == 0 ? w_.channels * plane : strip_step_;
    for (int64_t i = 0; i < images_; ++i) {
      const T* image = input + ((image_ + i) * w_.channels + channel) * plane;
      const T* strip = columns_.strip(image, channels_, row_, rows_, strips_.data() + i * strip_step_);
      if (i == 0) strip_ = strip;
    }
  }

  void pack_columns(int64_t first, int64_t columns) {
    const int64_t* offsets = columns_.offsets() + first;
    const bool joined = columns_.pitch() == w_.out_width;  // rows without a gap: one long row
    const int64_t length = joined ? pixels() : w_.out_width, count = joined ? 1 : rows_;
    T* panel = b_.data();
    for (int64_t i = 0; i < images_; ++i) {
      for (int64_t y = 0; y < count; ++y, panel += length * kTileColumns<T>) {
        const T* row = strip_ + i * image_step_ + y * columns_.pitch();
        pack_transposed(
            columns, length, [=](int64_t r) { return row + offsets[r]; }, panel, kTileColumns<T>);
      }
    }
  }

  const Window2d& w_;
  const WeightPlan& plan_;
  const Columns<T>& columns_;
  int64_t group_, taps_, depth_, a_step_, strip_step_;
  Workspace<T> a_, b_, strips_;
  int64_t first_panel_ = 0, last_panel_ = 0, channel_ = 0, channels_ = 0;
  int64_t image_ = 0, images_ = 0, row_ = 0, rows_ = 0;
  int64_t image_step_ = 0;
  const T* strip_ = nullptr;
};

/// result[i] = sum over p of parts[p * size + i], in the order of p.
template <class T>
void add_parts(const T* parts, int64_t count, int64_t size, T* result) {
  parallel_ranges(size, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kLanes<T>) {
      const int64_t lanes = smaller(kLanes<T>, end - i);
      Packet<T> sum = load_some(parts, i, lanes);
      for (int64_t p = 1; p < count; ++p) sum = padd(sum, load_some(parts + p * size, i, lanes));
      store_some(result, i, lanes, sum);
    }
  });
}

template <class T>
void conv2d_backward_weight(const Window2d& w, const T* grad_output, const T* input, T* grad_weight);

/// Whether rows of one image fill packets so badly, or need so much packing, that images in the lanes are better.
template <class T>
bool worth_lanes(const Window2d& w) {
  constexpr int64_t L = kLanes<T>;
  const int64_t in_size = w.channels * w.height * w.width, out_size = w.out_channels * w.out_height * w.out_width;
  const bool few_idle = w.batch % L == 0 || w.batch % L >= L / 2 || w.batch >= 8 * L;
  if (w.batch < L || !few_idle || w.stride_width != 1 || w.out_channels / w.groups > kMaxDotRows) return false;
  if ((in_size + out_size) * L * static_cast<int64_t>(sizeof(T)) > kSecondLevelBytes) return false;
  return plan_weight<T>(w).dot ? ceil_div(w.out_width, L) * L * 10 > w.out_width * 11 : true;
}

/// The rows [begin, end) of the output alone, of an image that has just the rows that they see.
Window2d rows_of(const Window2d& w, int64_t begin, int64_t end) {
  const Axis y = forward_y(w);
  Window2d rows = w;
  rows.out_height = end - begin;
  rows.height = larger(0, y.end_place(end - 1) - y.first_place(begin));
  rows.padding_height = larger(0, w.padding_height - begin * w.stride_height);
  return rows;
}

/// Block by block of images; a task takes several blocks or, where these are few, some output rows of one.
template <class T>
void backward_weight_lanes(const Window2d& w, const T* grad_output, const T* input, int64_t size, T* grad_weight) {
  constexpr int64_t L = kLanes<T>;
  const int64_t in_plane = w.height * w.width, out_plane = w.out_height * w.out_width;
  const int64_t in_size = w.channels * in_plane, out_size = w.out_channels * out_plane;
  const Parts blocks{ceil_div(w.batch, L), smaller(kMaxTasks, ceil_div(w.batch, L))};
  const Parts rows{w.out_height, smaller(w.out_height, ceil_div(kLeastTasks, blocks.count))};
  Window2d one = lanes_window<T>(w);
  one.batch = 1;
  Workspace<T> sums(static_cast<std::size_t>(blocks.count * rows.count * size));
  parallel_for(blocks.count * rows.count, [&](int64_t task) {
    const int64_t part = task / rows.count, begin = rows.begin(task % rows.count);
    const Window2d window = rows_of(one, begin, begin + rows.length(task % rows.count));
    const int64_t first_row = forward_y(w).first_place(begin);
    const Slices in{w.channels, window.height * w.width, in_plane, window.height * w.width};
    const Slices out{w.out_channels, window.out_height * w.out_width, out_plane, window.out_height * w.out_width};
    Workspace<T> x(static_cast<std::size_t>(in.planes * in.length * L));
    Workspace<T> grad(static_cast<std::size_t>(out.planes * out.length * L));
    Workspace<T> next(static_cast<std::size_t>(size));
    T* const sum = sums.data() + task * size;
    for (int64_t block = blocks.begin(part); block < blocks.begin(part + 1); ++block) {
      const int64_t images = smaller(L, w.batch - block * L);
      gather_slices(input + block * L * in_size + first_row * w.width, images, in_size, in, x.data());
      gather_slices(grad_output + block * L * out_size + begin * w.out_width, images, out_size, out, grad.data());
      const bool first = block == blocks.begin(part);
      conv2d_backward_weight<T>(window, grad.data(), x.data(), first ? sum : next.data());
      if (!first)
        map(
            0, size, sum, [](Packet<T> a, Packet<T> b) { return padd(a, b); }, sum, next.data());
    }
  });
  add_parts(sums.data(), blocks.count * rows.count, size, grad_weight);
}

template <class T>
void conv2d_backward_weight(const Window2d& w, const T* grad_output, const T* input, T* grad_weight) {
  const int64_t in_channels = w.channels / w.groups, out_channels = w.out_channels / w.groups;
  const int64_t group_size = out_channels * in_channels * w.kernel_height * w.kernel_width;
  const int64_t size = w.groups * group_size;
  if (size == 0) return;
  if (w.batch * w.out_height * w.out_width == 0) {
    for (int64_t i = 0; i < size; ++i) grad_weight[i] = T(0);
    return;
  }
  if (is_depthwise(w)) {
    depthwise_backward_weight(w, grad_output, input, grad_weight);
    return;
  }
  if (worth_lanes<T>(w)) return backward_weight_lanes(w, grad_output, input, size, grad_weight);
  const WeightPlan plan = plan_weight<T>(w);
  const Axis y = forward_y(w), x = forward_x(w);
  const Columns<T> columns(plan.channel_chunks.longest(), y, x, plan.strips.longest());
  const int64_t parts = plan.batch_chunks.count, chunks = plan.panel_chunks.count * plan.channel_chunks.count;
  Workspace<T> partial(static_cast<std::size_t>(parts > 1 ? parts * size : 0));
  parallel_for(w.groups * chunks * parts, [&](int64_t i) {
    const int64_t part = i % parts, chunk = i / parts % chunks, group = i / (parts * chunks);
    T* result = (parts > 1 ? partial.data() + part * size : grad_weight) + group * group_size;
    WeightGradientTask<T>(w, plan, columns, group)
        .run(chunk % plan.panel_chunks.count, chunk / plan.panel_chunks.count, part, grad_output, input, result);
  });
  if (parts > 1) add_parts(partial.data(), parts, size, grad_weight);
}

}  // namespace

extern constinit const Tables<Conv2dWeightKernels> conv2d_weight_tables =
    make_tables<Conv2dWeightKernels, Float64::in_each_set>([]<class T>(T) -> Conv2dWeightKernels<T> {
      return {.conv2d_backward_weight = if_training(conv2d_backward_weight<T>)};
    });

}  // namespace teff::kernels::TEFF_ISA
