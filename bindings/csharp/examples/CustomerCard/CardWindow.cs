using System;
using System.Collections.Generic;
using System.Drawing;
using System.Drawing.Printing;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using System.Windows.Forms;
using Bulla;

namespace CustomerCard
{
    /// <summary>The window: customers on the left, the card with its watermark, and what the file's rights allow.</summary>
    internal sealed class CardWindow : Form
    {
        private readonly string home;
        private readonly string path;
        private readonly string ticket;
        private readonly ListBox names = new ListBox { Dock = DockStyle.Left, Width = 170, IntegralHeight = false };
        private readonly CardView card = new CardView { Dock = DockStyle.Fill };
        private readonly Label state = new Label { Dock = DockStyle.Bottom, Height = 26, Padding = new Padding(6) };
        private readonly Button print = new Button { Text = "Print", Enabled = false };
        private readonly Button copy = new Button { Text = "Copy", Enabled = false };
        private readonly Timer minute = new Timer { Interval = 20000 };
        private readonly List<string[]> rows = new List<string[]>();
        private ScreenGuard guard;
        private BullaSession session;
        private SealedFile file;

        internal CardWindow(string home, string path, string ticket)
        {
            this.home = home;
            this.path = path;
            this.ticket = ticket;
            Text = "Customer card";
            ClientSize = new Size(640, 360);
            StartPosition = FormStartPosition.CenterScreen;
            var buttons = new FlowLayoutPanel { Dock = DockStyle.Top, Height = 36 };
            buttons.Controls.AddRange(new Control[] { print, copy });
            Controls.AddRange(new Control[] { card, names, buttons, state });
            names.SelectedIndexChanged += (sender, e) => ShowSelected();
            print.Click += (sender, e) => Do(() => guard.Print(file, PrintCard));
            copy.Click += (sender, e) => Do(() => guard.Copy(file, () => Clipboard.SetText(card.PlainText)));
            minute.Tick += (sender, e) => Do(StayCurrent);
        }

        /// <summary>Windows Forms makes the window anew when it likes: what was declared has to hold for each.</summary>
        protected override void OnHandleCreated(EventArgs e)
        {
            base.OnHandleCreated(e);
            if (guard == null) guard = ScreenGuard.For(Handle);
            else Do(() => guard.Follow(Handle));
        }

        protected override async void OnLoad(EventArgs e)
        {
            base.OnLoad(e);
            try
            {
                await OpenFile();
            }
            catch (BullaException error)
            {
                CloseFile(error);
            }
        }

        /// <summary>Opens and reads without holding up the window.</summary>
        private async Task OpenFile()
        {
            // Declared is what this window does: it draws the watermark, hides columns, and what the guard holds to.
            var options = new SessionOptions
            {
                Home = home,
                Ticket = ticket,
                Duties = Duties.Watermark | Duties.Mask | guard.Duties
            };
            session = await Task.Run(() => BullaSession.Start(options));
            file = await session.OpenAsync(path);
            card.Masked = file.DutiesOf(Rights.View).MaskedColumns;
            using (var reader = new StreamReader(file.OpenRead()))
            {
                // This export never quotes; others need a reader of CSV.
                card.Columns = (await reader.ReadLineAsync() ?? "").Split(',');
                for (string line; (line = await reader.ReadLineAsync()) != null;) rows.Add(line.Split(','));
            }
            names.Items.AddRange(rows.Select(row => row[0]).ToArray<object>());
            print.Enabled = file.May(Rights.Print);
            copy.Enabled = file.May(Rights.Copy);
            string until = file.Until.HasValue ? file.Until.Value.LocalDateTime.ToString("g") : "further notice";
            state.Text = "Open until " + until + ". Granted: " + file.Rights;
            StayCurrent();
            minute.Start();
            if (names.Items.Count > 0) names.SelectedIndex = 0;
        }

        /// <summary>The watermark holds the minute. And what has ended is not shown any longer.</summary>
        private void StayCurrent()
        {
            file.ReadAt(0, new byte[1], 0, 1);
            card.Watermark = file.DutiesOf(Rights.View).Has(Duties.Watermark) ? file.Watermark : null;
            card.Invalidate();
        }

        private void ShowSelected()
        {
            card.Row = names.SelectedIndex < 0 ? null : rows[names.SelectedIndex];
            card.Invalidate();
        }

        private void PrintCard()
        {
            using (var document = new PrintDocument { DocumentName = "Customer card" })
            {
                // On paper, too.
                document.PrintPage += (sender, e) => card.Draw(e.Graphics, e.MarginBounds);
                document.Print();
            }
        }

        private void Do(Action action)
        {
            try
            {
                action();
            }
            catch (BullaException error)
            {
                CloseFile(error);
            }
        }

        /// <summary>Shows nothing any more but why: for a denial, each reason.</summary>
        private void CloseFile(BullaException error)
        {
            minute.Stop();
            rows.Clear();
            names.Items.Clear();
            print.Enabled = copy.Enabled = false;
            card.Row = null;
            var reasons = new List<string>();
            if (error is BullaDeniedException denied && denied.Decision != null)
            {
                reasons.AddRange(denied.Decision.Refused.Select(each => "• " + each.Message));
                reasons.AddRange(denied.Decision.Withheld.Select(each => "• " + each.Message));
            }
            if (reasons.Count == 0) reasons.Add(error.Message);
            card.Instead = string.Join("\n", reasons);
            card.Invalidate();
            state.Text = "Closed: " + error.Name;
            file?.Dispose();
            session?.Dispose();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                minute.Dispose();
                file?.Dispose();
                session?.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
