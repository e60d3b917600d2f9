namespace Bulla
{
    /// <summary>The ABI that this wrapper was written for: BULLA_ABI_VERSION of bulla.h.</summary>
    internal static class AbiVersion
    {
        internal const uint Expected = 0;
    }
}
