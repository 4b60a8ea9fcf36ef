// SPDX-License-Identifier: MIT
// Written by make_nn_golden.py with PyTorch 1.13.0a0. Do not edit.
// clang-format off
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace teff::golden {

inline const std::vector<std::string> kPrinted = {
    R"(Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1)))",
    R"(Conv2d(4, 8, kernel_size=(3, 5), stride=(2, 1), padding=(1, 2), dilation=(2, 3), groups=4, bias=False))",
    R"(Conv2d(3, 6, kernel_size=(1, 1), stride=(1, 1), padding=(1, 1)))",
    R"(MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False))",
    R"(MaxPool2d(kernel_size=(3, 2), stride=(3, 2), padding=0, dilation=1, ceil_mode=False))",
    R"(MaxPool2d(kernel_size=3, stride=(2, 1), padding=1, dilation=2, ceil_mode=True))",
    R"(AvgPool2d(kernel_size=2, stride=2, padding=0))",
    R"(AvgPool2d(kernel_size=(3, 2), stride=2, padding=(1, 0)))",
    R"(Linear(in_features=3, out_features=4, bias=True))",
    R"(Linear(in_features=3, out_features=4, bias=False))",
    R"(ReLU())",
    R"(LeakyReLU(negative_slope=0.01))",
    R"(LeakyReLU(negative_slope=0.2))",
    R"(LeakyReLU(negative_slope=1.0))",
    R"(LeakyReLU(negative_slope=1e-05))",
    R"(LeakyReLU(negative_slope=123456789.0))",
    R"(Sigmoid())",
    R"(Tanh())",
    R"(Softmax(dim=1))",
    R"(Softmax(dim=-1))",
    R"(BatchNorm2d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True))",
    R"(BatchNorm2d(8, eps=0.001, momentum=None, affine=False, track_running_stats=False))",
    R"(BatchNorm2d(8, eps=1e-05, momentum=0.01, affine=True, track_running_stats=True))",
    R"(Dropout(p=0.5, inplace=False))",
    R"(Dropout(p=0.25, inplace=False))",
    R"(Dropout(p=0.0, inplace=False))",
    R"(Flatten(start_dim=1, end_dim=-1))",
    R"(Flatten(start_dim=0, end_dim=2))",
    R"(Identity())",
    R"(CrossEntropyLoss())",
    R"(NLLLoss())",
    R"(MSELoss())",
    R"(Sequential())",
    R"(ModuleList())",
    R"(Sequential(
  (0): Linear(in_features=1, out_features=2, bias=True)
  (1): Sequential(
    (0): ReLU()
  )
))",
    R"(TwoLines(
  a=1
  b=2
))",
    R"(Sequential(
  (0): TwoLines(
    a=1
    b=2
  )
))",
    R"(Mixed(
  scale=2
  (inner): TwoLines(
    a=1
    b=2
  )
  (blocks): ModuleList(
    (0): Sequential(
      (0): ReLU()
      (1): Sequential(
        (0): Tanh()
      )
    )
    (1): ModuleList()
  )
))",
    R"(Net(
  (conv1): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))
  (pool): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
  (conv2): Conv2d(6, 16, kernel_size=(5, 5), stride=(1, 1))
  (fc1): Linear(in_features=400, out_features=120, bias=True)
  (fc2): Linear(in_features=120, out_features=84, bias=True)
  (fc3): Linear(in_features=84, out_features=10, bias=True)
))",
};

inline const std::vector<std::string> kNetKeys = {
    R"(conv1.weight)",
    R"(conv1.bias)",
    R"(conv2.weight)",
    R"(conv2.bias)",
    R"(fc1.weight)",
    R"(fc1.bias)",
    R"(fc2.weight)",
    R"(fc2.bias)",
    R"(fc3.weight)",
    R"(fc3.bias)",
};
inline const std::vector<std::uint64_t> kNetHashes = {5099461778161108680u, 12963466896716692799u, 14110986078794584524u, 16268393161133652433u, 2476177646254892330u, 4014216406304879809u, 5461118217411646880u, 3120825728895027041u, 13539322022184786901u, 5824487696909242341u};
inline const std::vector<std::string> kSmallKeys = {
    R"(scale)",
    R"(offset)",
    R"(conv.weight)",
    R"(bn.weight)",
    R"(bn.bias)",
    R"(bn.running_mean)",
    R"(bn.running_var)",
    R"(bn.num_batches_tracked)",
};
inline const std::vector<std::string> kSmallParameters = {
    R"(scale)",
    R"(conv.weight)",
    R"(bn.weight)",
    R"(bn.bias)",
};
inline constexpr std::uint64_t kGroupedConvHash = 4929699675027989314u, kGroupedConvBiasHash = 6839861469756652224u;
inline const std::vector<double> kKaimingUniform = {-0.006483776494860649, 0.46457377076148987, -0.7127779722213745, -0.6373418569564819, -0.3335534632205963, 0.23223108053207397, -0.017158716917037964, 0.6866624355316162, -0.07685459405183792, 0.22916118800640106, -0.26172420382499695, -0.17023061215877533, -0.8273560404777527, -0.5735531449317932, -0.35699567198753357, 0.032080672681331635, 0.34237033128738403, 0.5196349620819092, -0.5871142148971558, -0.37712186574935913, 0.31455525755882263, 0.7191370725631714, -0.17822816967964172, 0.6480569839477539};
inline const std::vector<double> kKaimingNormal = {-0.5965551733970642, -0.2933638393878937, -0.25572675466537476, -0.6293583512306213, -0.03916846588253975, -0.2382117062807083, -0.3831212818622589, -0.6292064189910889, 0.17171794176101685, 0.45797571539878845, 0.6911187767982483, -0.037289444357156754, 0.054498568177223206, -0.6172427535057068, -0.12537266314029694, -0.1170535683631897, -0.3122146725654602, 0.1312810182571411, 0.10766392946243286, 0.671127438545227, -0.021952345967292786, 0.35611265897750854, -0.544465959072113, 1.0515161752700806};
inline const std::vector<double> kXavierUniform = {0.2094036042690277, -0.21723981201648712, 0.2503353953361511, -0.046627476811409, 0.3899672329425812, 0.2173296958208084, -0.10492052882909775, -0.7380221486091614, 0.20842158794403076, -0.8082053661346436, 0.11997680366039276, 0.060667455196380615, -0.2007388025522232, 0.7464517951011658, 0.06092210114002228, 0.37854790687561035, 0.3863222002983093, -0.5385314226150513, -0.3509390354156494, 0.8779245018959045, -0.8941364884376526, -0.06200064346194267, -0.07234478741884232, 0.6475079655647278};
inline const std::vector<double> kXavierNormal = {-0.024237053468823433, 0.11380452662706375, -0.24729542434215546, 0.022619055584073067, 0.2102406769990921, -0.09068789333105087, 0.5124631524085999, -0.504923403263092, 0.12794801592826843, 0.19330991804599762, 0.24045655131340027, -0.010638932697474957, -0.10904966294765472, 0.15610696375370026, -0.024533187970519066, -0.570906400680542, 0.1534065157175064, 0.06490080803632736, 0.10702039301395416, 0.42777836322784424, 0.118153877556324, 0.004242663271725178, 0.24465693533420563, -0.034545835107564926};

inline const std::string kLoadError = R"(Error(s) in loading state_dict for Small:
	Missing key(s) in state_dict: "scale", "bn.weight". 
	Unexpected key(s) in state_dict: "head.bias", "extra". 
	size mismatch for offset: copying a param with shape torch.Size([]) from checkpoint, the shape in current model is torch.Size([1]).
	size mismatch for conv.weight: copying a param with shape torch.Size([2, 1, 5, 5]) from checkpoint, the shape in current model is torch.Size([2, 1, 3, 3]).)";
inline const std::string kLoadReport = R"(<All keys matched successfully>)";
inline const std::string kPartialReport = R"(_IncompatibleKeys(missing_keys=['scale'], unexpected_keys=['extra']))";

inline const std::vector<double> kRunningMean = {2.234499931335449, 3.3565001487731934};
inline const std::vector<double> kRunningVar = {18.296100616455078, 18.296100616455078};
inline const std::vector<double> kCumulativeMean = {8.0, 12.0};
inline const std::vector<double> kCumulativeVar = {61.13333511352539, 61.13333511352539};

inline const std::vector<double> kSgd = {1.0, -2.125, 0.25, 0.9033849835395813, -2.425217628479004, -0.2538199722766876, 0.9019444584846497, -2.3701016902923584, -0.14214809238910675, 0.7795761227607727, -1.6548763513565063, 0.16646656394004822, 0.8973479866981506, -2.471400499343872, -0.43233558535575867, 0.9267401695251465, -1.5838319063186646, 0.867225170135498};
inline const std::vector<double> kSgdGroups = {1.0, -2.012500286102295, 0.4750000238418579, 2.9033846855163574, 3.574782371520996, -0.10735002160072327, 0.9164249897003174};

inline const std::vector<double> kLosses = {2.24753737449646, 2.234646797180176, 2.210988759994507, 2.178307056427002, 2.1382460594177246};

inline const std::vector<std::int64_t> kOrdered = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
inline const std::vector<std::int64_t> kOrderedLeft = {953283, 435347};
inline const std::vector<std::int64_t> kShuffled = {3, 2, 7, 8, 6, 1, 5, 9, 0, 4, 1, 3, 5, 2, 8, 9, 6, 7, 4, 0};
inline const std::vector<std::int64_t> kShuffledLeft = {432988, 904761};
inline const std::vector<std::int64_t> kDropped = {3, 2, 7, 8, 6, 1, 5, 9, 1, 3, 5, 2, 8, 9, 6, 7};
inline const std::vector<std::int64_t> kDroppedLeft = {432988, 904761};
inline const std::vector<std::int64_t> kWithGenerator = {0, 9, 3, 6, 1, 5, 7, 4, 8, 2, 8, 5, 4, 7, 1, 3, 6, 9, 2, 0};
inline const std::vector<std::int64_t> kWithGeneratorLeft = {741615, 413892, 792509, 862031};

}  // namespace teff::golden
