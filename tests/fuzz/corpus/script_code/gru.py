class Gru(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  gru : __torch__.torch.nn.modules.rnn.GRU
  def forward(self: __torch__.Gru,
    x: Tensor,
    start: Optional[Tensor]=None) -> Tensor:
    gru = self.gru
    return ((gru).forward__0(x, start, ))[0]
