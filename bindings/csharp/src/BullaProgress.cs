namespace Bulla
{
    /// <summary>How far long work is.</summary>
    public struct BullaProgress
    {
        /// <summary>Bytes done.</summary>
        public long Done { get; }

        /// <summary>Bytes in all; 0 where that is not known.</summary>
        public long Total { get; }

        /// <summary>So many of so many bytes.</summary>
        /// <param name="done">Bytes done.</param>
        /// <param name="total">Bytes in all.</param>
        public BullaProgress(long done, long total)
        {
            Done = done;
            Total = total;
        }
    }
}
