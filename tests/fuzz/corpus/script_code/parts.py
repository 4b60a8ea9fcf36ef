class Parts(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool
  _is_full_backward_hook : Optional[bool]
  def forward(self: __torch__.Parts,
    x: Tensor) -> Tuple[Tensor, Tensor]:
    y = torch.mul(x, 2)
    _0 = torch.select(y, 0, 0)
    _1 = torch.tensor(1, dtype=ops.prim.dtype(_0), device=ops.prim.device(_0))
    _2 = torch.copy_(_0, _1)
    _3 = torch.mul_(torch.slice(torch.slice(y), 1, 1), 2)
    z = torch.view(y, [-1])
    z0 = torch.add_(z, 1)
    return (y, z0)
