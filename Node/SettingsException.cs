namespace DistDb.Node;

/// <summary>A setting is wrong. The message is one sentence for whoever typed it.</summary>
public sealed class SettingsException(string message) : Exception(message);
