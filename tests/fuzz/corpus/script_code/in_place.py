class InPlace(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.InPlace,
    x: Tensor) -> Tensor:
    y = torch.copy_(torch.zeros_like(x), x)
    _0 = torch.relu_(torch.add_(y, x, alpha=2))
    _1 = torch.masked_fill_(y, torch.gt(y, 1), 0.5)
    return y
