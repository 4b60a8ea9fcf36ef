class Lstm(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  lstm : __torch__.torch.nn.modules.rnn.LSTM
  def forward(self: __torch__.Lstm,
    x: Tensor) -> Tuple[Tensor, Tensor]:
    lstm = self.lstm
    _0, _1, = (lstm).forward(x, )
    _2 = torch.slice(_0, 0, 0, 9223372036854775807)
    return (torch.select(_2, 1, -1), _1)
