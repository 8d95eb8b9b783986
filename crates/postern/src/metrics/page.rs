//! Writes metrics as Prometheus reads them.

use std::fmt;

use postern_guard::HistogramReading;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::catalog::{Kind, Metric};

/// Microseconds of a second.
const SECOND_US: f64 = 1_000_000.0;

/// The page while it is written.
pub(super) struct Page<'a>(pub(super) DescriptorEncoder<'a>);

/// The values of a metric's labels, in their order.
type Values = Vec<String>;

impl Page<'_> {
    /// One value without labels: a counter or a gauge.
    pub(super) fn one(&mut self, metric: &Metric, value: u64) -> fmt::Result {
        self.each(metric, [(Vec::new(), value)])
    }

    /// A value with a fraction.
    pub(super) fn fraction(&mut self, metric: &Metric, value: f64) -> fmt::Result {
        let mut encoder = self.describe(metric)?;
        match metric.kind {
            Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
            _ => encoder.encode_gauge(&value),
        }
    }

    /// Values by label.
    pub(super) fn each(
        &mut self,
        metric: &Metric,
        series: impl IntoIterator<Item = (Values, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.describe(metric)?;
        for (values, value) in series {
            let labels = labels(metric, values);
            let mut encoder = encoder.encode_family(&labels)?;
            match metric.kind {
                Kind::Counter => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)?,
                _ => encoder.encode_gauge(&value)?,
            }
        }
        Ok(())
    }

    /// Histograms by label.
    pub(super) fn histograms(
        &mut self,
        metric: &Metric,
        series: impl IntoIterator<Item = (Values, HistogramReading)>,
    ) -> fmt::Result {
        let mut encoder = self.describe(metric)?;
        for (values, reading) in series {
            let labels = labels(metric, values);
            let bucket = |(bound, count): &(Option<u64>, u64)| {
                (bound.map_or(f64::INFINITY, seconds), *count)
            };
            let buckets: Vec<(f64, u64)> = reading.buckets.iter().map(bucket).collect();
            let (sum, count) = (seconds(reading.sum_us), reading.count());
            encoder
                .encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn describe<'s>(&'s mut self, metric: &'s Metric) -> Result<MetricEncoder<'s>, fmt::Error> {
        let kind = match metric.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        let (name, help) = (metric.name, metric.help);
        self.0.encode_descriptor(name, help, None, kind)
    }
}

/// Names and values together. A label without a value would be another series.
fn labels(metric: &Metric, values: Values) -> Vec<(&'static str, String)> {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    metric.labels.iter().copied().zip(values).collect()
}

/// Microseconds in seconds. Beyond 2^53 of them a count loses its last digits, after 285 years.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn seconds(micros: u64) -> f64 {
    micros as f64 / SECOND_US
}
