using System;

namespace Bulla
{
    /// <summary>Name, type and times of the original. All of it is sealed with the content.</summary>
    public sealed class Metadata
    {
        private const long UnixEpochTicks = 621355968000000000;

        /// <summary>
        /// The file name, without folders; null if unknown. It is whatever the one who sealed the file wrote: do not
        /// use it as a path unchecked.
        /// </summary>
        public string Name { get; set; }

        /// <summary>The media type, such as <c>text/csv</c>; null if unknown.</summary>
        public string MediaType { get; set; }

        /// <summary>When the original was made, to the millisecond; null if unknown.</summary>
        public DateTimeOffset? Created { get; set; }

        /// <summary>When it was last changed, likewise.</summary>
        public DateTimeOffset? Modified { get; set; }

        internal unsafe NativeMetadata ToNative(Text text)
        {
            var native = new NativeMetadata
            {
                StructSize = (uint)sizeof(NativeMetadata),
                Name = text.Utf8OrNull(Name, "the name"),
                MediaType = text.Utf8OrNull(MediaType, "the media type")
            };
            if (Created.HasValue)
            {
                native.Present |= 1;
                native.Created = Milliseconds(Created.Value);
            }
            if (Modified.HasValue)
            {
                native.Present |= 2;
                native.Modified = Milliseconds(Modified.Value);
            }
            return native;
        }

        internal static unsafe Metadata From(NativeMetadata native) => new Metadata
        {
            Name = Text.From(native.Name),
            MediaType = Text.From(native.MediaType),
            Created = (native.Present & 1) != 0 ? Time(native.Created) : null,
            Modified = (native.Present & 2) != 0 ? Time(native.Modified) : null
        };

        /// <summary>Rounded down, also before 1970.</summary>
        private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();

        /// <summary>Null for a time outside of what a <see cref="DateTimeOffset"/> can hold.</summary>
        private static DateTimeOffset? Time(long milliseconds)
        {
            const long first = -UnixEpochTicks / TimeSpan.TicksPerMillisecond;
            const long last = 253402300799999;
            if (milliseconds < first || milliseconds > last) return null;
            return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        }
    }
}
