// SPDX-License-Identifier: MIT
#include "nn/nets.h"

using namespace teff;
using namespace teff::nn_testing;

// The numbers are those of PyTorch 1.13 after manual_seed(3).

TEST_CASE("trunc_normal_ draws PyTorch's numbers") {
  manual_seed(3);
  check_values(nn::init::trunc_normal_(empty({2, 5})),
               {-1.92973781, -1.15758824, -0.537136376, -1.65978837, -0.0679670945, -1.40419018, 0.704681873,
                0.62072885, 0.227866575, 1.12738001},
               2e-6);
  manual_seed(3);
  check_values(nn::init::trunc_normal_(empty({4}), 0.5, 2, -1, 1.5),
               {-0.986869931, -0.691329002, -0.219607353, -0.918034434}, 2e-6);
}

TEST_CASE("orthogonal_ gives PyTorch's matrices") {
  manual_seed(3);
  check_values(nn::init::orthogonal_(empty({2, 4})),
               {0.780068517, 0.169782266, 0.086407423, -0.595987082, 0.415834904, -0.795864284, 0.259809852, 0.3552185},
               3e-6);
  manual_seed(3);
  check_values(nn::init::orthogonal_(empty({4, 3, 1}), 2),
               {1.11096215, -0.415572882, -1.58877838, -0.84879601, 0.699978709, -0.514182568, 0.466768891, 1.82046342,
                -0.254648507, 1.35182631, 0.152452528, 1.07077289},
               3e-6);
  CHECK(error_of<ShapeError>([] { nn::init::orthogonal_(empty({3})); }) ==
        "orthogonal_: expected at least 2 dimensions, got [3]");
}

TEST_CASE("sparse_ draws PyTorch's numbers and leaves out what PyTorch leaves out") {
  manual_seed(3);
  check_values(nn::init::sparse_(empty({4, 3}), 0.4, 1), {0.0, 0.0, 0.0, -0.613718033, 0.0461824499, -1.36825919,
                                                          0.337495089, 0.0, 0.0, 0.0, 0.522049963, 1.23791671});
}

TEST_CASE("eye_ and dirac_ hand on what they get") {
  check_values(nn::init::eye_(empty({2, 3})), {1, 0, 0, 0, 1, 0});
  check_values(nn::init::dirac_(empty({4, 1, 3}), 2), {0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0});
  const Tensor weight = nn::init::dirac_(empty({4, 2, 2, 3}));
  CHECK(weight.sum().item<float>() == 2);
  CHECK(weight[0][0][1][1].item<float>() == 1);
  CHECK(weight[1][1][1][1].item<float>() == 1);
  nn::Conv2d conv(2, 2, 3, {.padding = 1, .bias = false});
  nn::init::dirac_(conv.weight);
  const Tensor x = randn({1, 2, 4, 4});
  CHECK(same_bits(conv(x).detach(), x));
  CHECK(conv.weight.requires_grad());
}
