namespace DistDb.Tests.Linearizability;

/// <summary>A way in which the history up to some moment can have gone.</summary>
/// <param name="State">The object's state.</param>
/// <param name="Linearized">By slot, which of the operations that are open have taken effect.</param>
internal readonly record struct Configuration<TState>(TState State, ulong Linearized);
