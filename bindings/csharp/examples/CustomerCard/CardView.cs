using System;
using System.Collections.Generic;
using System.Drawing;
using System.Linq;
using System.Windows.Forms;

namespace CustomerCard
{
    /// <summary>Draws one row as a card, and the watermark over it: on the screen and on paper.</summary>
    internal sealed class CardView : Control
    {
        private const int LineHeight = 30;

        internal string[] Columns { get; set; } = new string[0];
        internal IReadOnlyList<string> Masked { get; set; } = new string[0];
        internal string[] Row { get; set; }
        internal string Watermark { get; set; }

        /// <summary>Shown in place of a card: why there is none.</summary>
        internal string Instead { get; set; }

        internal CardView()
        {
            DoubleBuffered = true;
            ResizeRedraw = true;
            BackColor = Color.White;
        }

        internal string PlainText => string.Join("\n", Fields().Select(each => each.Key + ": " + each.Value));

        private IEnumerable<KeyValuePair<string, string>> Fields()
        {
            for (int i = 0; Row != null && i < Math.Min(Columns.Length, Row.Length); i++)
                yield return new KeyValuePair<string, string>(Columns[i], Masked.Contains(Columns[i]) ? "••••••" : Row[i]);
        }

        protected override void OnPaint(PaintEventArgs e)
        {
            base.OnPaint(e);
            e.Graphics.Clear(BackColor);
            Draw(e.Graphics, ClientRectangle);
        }

        internal void Draw(Graphics graphics, Rectangle area)
        {
            using (var label = new Font(FontFamily.GenericSansSerif, 10))
            using (var value = new Font(FontFamily.GenericSansSerif, 12, FontStyle.Bold))
            {
                int y = area.Top + 16;
                if (Instead != null)
                    graphics.DrawString(Instead, label, Brushes.Firebrick, Rectangle.Inflate(area, -16, -16));
                foreach (var field in Fields())
                {
                    graphics.DrawString(field.Key, label, Brushes.DimGray, area.Left + 20, y + 2);
                    graphics.DrawString(field.Value, value, Brushes.Black, area.Left + 130, y);
                    y += LineHeight;
                }
            }
            if (Watermark != null) DrawWatermark(graphics, area);
        }

        private void DrawWatermark(Graphics graphics, Rectangle area)
        {
            var before = graphics.Save();
            graphics.SetClip(area);
            using (var font = new Font(FontFamily.GenericSansSerif, 11))
            using (var brush = new SolidBrush(Color.FromArgb(70, 120, 20, 20)))
            {
                SizeF size = graphics.MeasureString(Watermark, font);
                graphics.TranslateTransform(area.Left, area.Top);
                graphics.RotateTransform(-20);
                int row = 0;
                for (float y = 0; y < area.Height + area.Width; y += 64, row++)
                    for (float x = -area.Height - row % 2 * size.Width / 2; x < area.Width; x += size.Width + 40)
                        graphics.DrawString(Watermark, font, brush, x, y);
            }
            graphics.Restore(before);
        }
    }
}
