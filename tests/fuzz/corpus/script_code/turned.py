class Turned(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.Turned,
    x: Tensor) -> Tuple[Tensor, Tensor]:
    y = torch.mul(x, 2)
    _0 = (torch.transpose_(y, 0, 1), torch.unsqueeze_(y, 0))
    return _0
